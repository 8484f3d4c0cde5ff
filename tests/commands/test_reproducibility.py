"""The same seed gives the same numbers, bit for bit, in whatever process a run lies; another seed others."""

from pathlib import Path

import pytest

from support.runs import NARROW, SMALL, call, compose_training
from support.same_runs import checkpoint, run_differences
from vidreid.commands.train import train

KMPNET = (
    "experiment=kmpnet_pcb_synthetic", *SMALL, *NARROW, "model.graph.layers=[1,1,1,1]",
    "model.graph.width=16", "stages.visual.trainer.max_epochs=2", "trainer.max_epochs=2",
    "stages.visual.data.batch_size=4", "callbacks.pictures=null",
)  # fmt: skip
# Dropped paths draw in every step; identities and best epoch are drawn and chosen as well.
KEY_REID = (
    "experiment=key_reid_synthetic", *SMALL, "data.identities_per_batch=2", "data.identity_visits=2",
    "model.backbone.embedding=24", "model.backbone.depth=2", "model.backbone.heads=2",
    "model.backbone.patch=16", "model.backbone.stride=16", "model.backbone.drop_path=0.3",
    "data.jitter=0.3", "data.crop=4", "data.held_out_identities=2", "select=best",
    "trainer.max_epochs=3", "callbacks.pictures=null",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("family", [KMPNET, KEY_REID], ids=["kmpnet", "key_reid"])
def test_the_same_seed_gives_the_same_run(
    family: tuple[str, ...],
    tiny_root: Path,
    repo_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two processes of their own, with other orders of sets and another number of loader processes."""
    for name, order, workers in (("one", "1", 0), ("other", "2", 2)):
        monkeypatch.setenv("PYTHONHASHSEED", order)
        place = f"data.root={tiny_root}", f"hydra.run.dir={tmp_path / name}", f"data.workers={workers}"
        status, output = call(repo_root, "train.py", *family, *place, cwd=tmp_path)
        assert status == 0, output
    assert run_differences(tmp_path / "one", tmp_path / "other") == []
    first_stage = tmp_path / "one" / "visual_stage"
    assert first_stage.is_dir() == (family is KMPNET)
    if first_stage.is_dir():
        assert run_differences(first_stage, tmp_path / "other" / "visual_stage") == []

    train(compose_training(tiny_root, tmp_path / "seed", *family, "seed=1"))
    one, seed = checkpoint(tmp_path / "one", "last"), checkpoint(tmp_path / "seed", "last")
    weights = [key for key in one if key.startswith("/state_dict") and one[key].is_floating_point()]
    same = [key for key in weights if one[key].equal(seed[key])]
    assert len(same) < len(weights) / 10, same
    assert "metrics.json: /mAP" in run_differences(tmp_path / "one", tmp_path / "seed")


@pytest.mark.slow
def test_a_run_of_a_sweep_is_that_of_a_process_of_its_own(
    tiny_root: Path, repo_root: Path, tmp_path: Path
) -> None:
    settings = (
        "experiment=pcb_synthetic", *SMALL, *NARROW, "trainer.max_epochs=2", "callbacks.pictures=null",
        f"data.root={tiny_root}",
    )  # fmt: skip
    sweep = f"hydra.sweep.dir={tmp_path / 'sweep'}"
    status, output = call(repo_root, "train.py", "-m", *settings, "seed=1,0", sweep, cwd=tmp_path)
    assert status == 0, output
    alone = tmp_path / "alone"
    status, output = call(repo_root, "train.py", *settings, f"hydra.run.dir={alone}", cwd=tmp_path)
    assert status == 0, output
    assert run_differences(tmp_path / "sweep" / "1", alone) == []
    assert run_differences(tmp_path / "sweep" / "0", alone) != []
