"""Every network of the house uses all its parameters in a training step, as ``trainer=ddp`` expects."""

from pathlib import Path

import pytest
from hydra.utils import instantiate

from support.runs import compose_training
from vidreid.commands import config_dir
from vidreid.commands.building import build_module, open_data, without_initial_weights
from vidreid.commands.stages import final_stage

CONF = Path(config_dir())


def _methods() -> list[tuple[str, ...]]:
    found = [(f"experiment={path.stem}",) for path in sorted((CONF / "experiment").glob("*_synthetic.yaml"))]
    for path in sorted((CONF / "arm").rglob("*.yaml")):
        arm = str(path.relative_to(CONF / "arm").with_suffix(""))
        method = "key_reid" if arm.startswith("key_reid/") else "kmpnet_pcb"
        found.append((f"experiment={method}_synthetic", f"arm={arm}"))
    for path in sorted((CONF / "variant").glob("*.yaml")):
        method = path.stem.rpartition("_")[0].replace("kmpnet", "kmpnet_pcb")
        found.append((f"experiment={method}_synthetic", f"variant={path.stem}"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("words", _methods(), ids=" ".join)
def test_no_parameter_is_left_out(words: tuple[str, ...], tiny_root: Path, tmp_path: Path) -> None:
    config = compose_training(
        tiny_root, tmp_path, *words, "data.workers=0", "data.batch_size=4", "data.identities_per_batch=2",
        "data.tracklets_per_identity=2", "trainer.accelerator=cpu",
    )  # fmt: skip
    config = final_stage(config)
    data = open_data(config)
    module = build_module(without_initial_weights(config))
    data.trainer = instantiate(config.trainer, logger=False, enable_checkpointing=False)
    data.setup("fit")
    module.train()
    module.log = lambda *args, **kwargs: None  # it has no trainer to log to
    module.training_step(next(iter(data.train_dataloader())), 0).backward()
    assert [name for name, p in module.named_parameters() if p.requires_grad and p.grad is None] == []
