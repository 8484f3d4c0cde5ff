"""Released checkpoints become runs: what is read from the weights, what the other commands do, bad input."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from safetensors.torch import save_file
from torch import Tensor

from models.golden_files import OWN, kmpnet_table, released_state
from support.runs import SMALL, call, compose_training
from vidreid.commands import config_dir
from vidreid.commands.evaluate import evaluate_run
from vidreid.commands.export import export_run
from vidreid.commands.import_checkpoint import import_released, main
from vidreid.commands.train import train
from vidreid.training.checkpoint import read_checkpoint
from vidreid.training.run_folder import RunFolder

State = dict[str, Tensor]
Save = Callable[[object], Path]
SMALL_PICTURES = ("data.height=64", "data.width=32", *SMALL)


@pytest.fixture(scope="module")
def pcb_state() -> State:
    """Weights of torchreid's ``pcb_p6`` for ten identities."""
    return released_state(OWN / "c6_pcb_p6.json", seed=3)


@pytest.fixture(scope="module")
def tiny_identities(tiny_root: Path) -> int:
    return json.loads((tiny_root / "synthetic.json").read_text())["train"]["identities"]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def save(content: object) -> Path:
        torch.save(content, tmp_path / "released.pth.tar")
        return tmp_path / "released.pth.tar"

    return save


@pytest.fixture(scope="module")
def imported(pcb_state: State, tiny_root: Path, tiny_identities: int, tmp_path_factory) -> Path:
    """A PCB with the identities of the tiny benchmark, imported from a file as old torchreid writes them."""
    folder = tmp_path_factory.mktemp("imported")
    state = {
        f"module.{key}": value[:1].repeat(tiny_identities, *[1] * (value.dim() - 1)) + 0
        if key.startswith("classifier.")
        else value
        for key, value in pcb_state.items()
        if not key.endswith("num_batches_tracked")
    }
    content = {
        "state_dict": state,
        "epoch": 45,
        "rank1": np.float64(0.85),
        "cmc": np.array([0.85, 0.9]),
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 3e-4}]},
    }
    torch.save(content, folder / "model.pth.tar-45")
    run = folder / "run"
    return import_released(
        "pcb", folder / "model.pth.tar-45", run, overrides=["data.height=64", "data.width=32"]
    )


def test_settings_come_from_the_weights(imported: Path, tiny_identities: int) -> None:
    config = RunFolder.existing(imported).read_config()
    assert config["num_identities"] == config["model"]["visual"]["num_identities"] == tiny_identities
    assert config["model"]["visual"]["stripes"] == 6
    assert config["model"]["visual"]["pretrained"] is False
    assert config["data"]["test_sampling"] == "evenly", "sampling stays the experiment's"
    content = read_checkpoint(imported / "checkpoints" / "last.ckpt")
    assert content["epoch"] + 1 == content["vidreid"]["epochs"] == 45
    assert content["vidreid"]["method"] == "PCB"


@pytest.mark.slow
def test_it_evaluates_exports_and_starts_a_training(imported: Path, tiny_root: Path, tmp_path: Path) -> None:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        evaluation = compose("eval", [
            f"run={imported}", f"data.root={tiny_root}", "data.workers=0", "data.test_clip_length=2",
            "trainer.accelerator=cpu",
        ])  # fmt: skip
        export = compose("export", [f"run={imported}"])
    metrics = evaluate_run(evaluation)
    assert metrics["epochs"] == 45
    assert 0 < metrics["mAP"] <= 1
    assert export_run(export).is_file()

    start = compose_training(
        tiny_root, tmp_path / "run", "experiment=pcb_mars", *SMALL_PICTURES, "debug=fast",
        "model.visual.pretrained=false", "model.visual.stripes=6", "optimizer.lr=0",
        f"visual_checkpoint={imported}/checkpoints/last.ckpt",
    )  # fmt: skip
    train(start)
    before, after = (
        read_checkpoint(run / "checkpoints" / "last.ckpt") for run in (imported, tmp_path / "run")
    )
    name = "network.visual.head.reduction.0.weight"
    torch.testing.assert_close(after["state_dict"][name], before["state_dict"][name])

    go_on = compose_training(tiny_root, imported, f"resume={imported}")
    stored = RunFolder(imported).read_config()
    RunFolder(imported).write_config(stored | {"data": stored["data"] | {"root": str(tiny_root)}})
    with pytest.raises(
        ValueError, match="imported checkpoint without the state of a training: start a new run"
    ):
        train(go_on)


@pytest.mark.slow
def test_the_command(
    pcb_state: State,
    repo_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As a user runs it, twice; then with a key that is none, and without a file."""
    save_file({key: value.contiguous() for key, value in pcb_state.items()}, tmp_path / "pcb.safetensors")
    arguments = ["method=pcb", "file=pcb.safetensors"]
    status, output = call(repo_root, "import_checkpoint.py", *arguments, cwd=tmp_path)
    assert status == 0, output
    assert "python src/eval.py run=runs/imported/pcb data.root=" in output
    checkpoint = tmp_path / "runs" / "imported" / "pcb" / "checkpoints" / "last.ckpt"
    written = checkpoint.stat().st_mtime_ns

    monkeypatch.chdir(tmp_path)
    for given, code, message in (
        (arguments, 0, "evaluate it:"),
        ([*arguments, "files=x"], 2, "the keys are method, file, run"),
        (["method=pcb"], 1, "Give method=METHOD"),
    ):
        monkeypatch.setattr(sys, "argv", ["import_checkpoint.py", *given])
        if code:
            with pytest.raises(SystemExit, match=str(code)):
                main()
        else:
            main()
        printed = capsys.readouterr()
        assert message in printed.out + printed.err
    assert checkpoint.stat().st_mtime_ns == written


def test_another_import_or_a_training_in_the_place(pcb_state: State, save: Save, tmp_path: Path) -> None:
    run = tmp_path / "run"
    import_released("pcb", save(pcb_state), run)
    (run / "eval.json").write_text("{}")
    moved = {key: value + 1 if key == "bn1.bias" else value for key, value in pcb_state.items()}
    with pytest.raises(FileExistsError, match=r"another file or of other settings .* overwrite=true"):
        import_released("pcb", save(moved), run)
    assert (run / "eval.json").is_file()
    import_released("pcb", save(moved), run, overwrite=True)
    content = read_checkpoint(run / "checkpoints" / "last.ckpt")
    assert torch.equal(content["state_dict"]["network.visual.backbone.bn1.bias"], moved["bn1.bias"])
    assert content["vidreid"]["epochs"] is None
    assert not (run / "eval.json").exists()

    (run / "imported.json").unlink()
    with pytest.raises(FileExistsError, match="is not an imported checkpoint"):
        import_released("pcb", save(moved), run, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["released.pth.tar", "run"]


class Anything:
    """Some object of other code."""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"state_dict": {}}, "holds no state dict of tensors"),
        ([1, 2], "holds no state dict of tensors"),
        ({"net": Anything()}, r"objects besides tensors and numbers .*Anything.*save the bare state_dict"),
        ({"fc.weight": torch.ones(2)}, "None of the 1 names .*fc.weight"),
    ],
)
def test_files_that_are_no_released_checkpoint(
    content: object, message: str, save: Save, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        import_released("pcb", save(content), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["released.pth", "released.safetensors"])
def test_a_text_and_a_torn_file(name: str, pcb_state: State, save: Save, tmp_path: Path) -> None:
    whole = save(pcb_state).read_bytes()
    for content in (b"no weights at all", whole[: len(whole) // 2], b""):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="is torn or "):
            import_released("pcb", tmp_path / name, tmp_path / "run")
    with pytest.raises(FileNotFoundError, match="There is no file"):
        import_released("pcb", tmp_path / "nothing.pth", tmp_path / "run")


def test_wrong_weights_are_listed_together(pcb_state: State, save: Save, tmp_path: Path) -> None:
    state = pcb_state | {"bn1.bias": torch.ones(3), "attention.weight": torch.ones(2)}
    del state["classifier.4.weight"]
    with pytest.raises(ValueError, match="does not fit") as error:
        import_released("pcb", save(state), tmp_path / "run")
    assert "missing: visual.head.classifiers.4.weight" in str(error.value)
    assert "unexpected: attention.weight" in str(error.value)
    assert "visual.backbone.bn1.bias (3,) instead of (64,)" in str(error.value)
    assert not (tmp_path / "run").exists()


def test_a_wrong_method_is_told_the_right_one(pcb_state: State, save: Save, tmp_path: Path) -> None:
    file = save(pcb_state)
    with pytest.raises(ValueError, match=r"not of method=kmpnet_pcb.*import it with method=pcb,"):
        import_released("kmpnet_pcb", file, tmp_path / "run")
    with pytest.raises(ValueError, match="There is no importer for method=osnet: choose one of kmpnet_pcb,"):
        import_released("osnet", file, tmp_path / "run")
    graph = {key: value for key, value in released_state(kmpnet_table(), 1).items() if "layer4" not in key}
    with pytest.raises(ValueError, match=r"not of method=pcb.*import it with method=kmpnet_pcb,"):
        import_released("pcb", save(graph), tmp_path / "run")
