"""Files of a run that something else has damaged: one sentence of each command, whose advice works."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir

from support.runs import NARROW, SMALL, compose_training
from support.same_runs import run_differences
from vidreid.commands import config_dir
from vidreid.commands.collect import collect
from vidreid.commands.evaluate import evaluate_run
from vidreid.commands.export import export_run
from vidreid.commands.import_checkpoint import import_released
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.sweeps.grid_rows import MULTIRUN
from vidreid.commands.train import train
from vidreid.training.checkpoint import WholeFileCheckpointIO

PCB = (
    "experiment=pcb_synthetic", *SMALL, *NARROW, "trainer.max_epochs=3", "callbacks.pictures=null",
    "data.held_out_identities=2", "select=best",
)  # fmt: skip
KMPNET = (
    "experiment=kmpnet_pcb_synthetic", *SMALL, *NARROW, "model.graph.layers=[1,1,1,1]",
    "model.graph.width=16", "data.held_out_identities=2",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "whole"
    train(compose_training(tiny_root, run, *PCB))
    return run


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A copy, as a run of its own that has been moved."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


def cut_to_nothing(file: Path) -> None:
    file.write_bytes(b"")


def cut_after_the_header(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:64])


def cut_in_a_tensor(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def cut_at_the_end(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def changed_byte(file: Path) -> None:
    content = torch.load(file, weights_only=True)
    state = content.get("state_dict", content)
    weight = bytes(max(state.values(), key=torch.Tensor.numel).untyped_storage())
    whole = bytearray(file.read_bytes())
    whole[whole.index(weight) + len(weight) // 2] ^= 1
    file.write_bytes(whole)


DAMAGES = (cut_to_nothing, cut_after_the_header, cut_in_a_tensor, cut_at_the_end, changed_byte)


def composed(name: str, *overrides: str) -> Any:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose(name, list(overrides))


def sentence(task: Callable[[], Any], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that a command prints before it exits with status 1."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as error:
        plain_errors(task)()
    assert error.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    return line


def resume(run: Path) -> dict[str, Any]:
    return train(composed("train", f"resume={run}"))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused_by_every_command(
    damage: Callable[[Path], None],
    run: Path,
    tiny_root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    last, best = run / "checkpoints" / "last.ckpt", run / "checkpoints" / "best.ckpt"
    (run / "metrics.json").unlink()
    for file in (last, best):
        damage(file)
    fresh = compose_training(tiny_root, tmp_path / "fresh", *KMPNET, f"visual_checkpoint={last}")
    for task in (
        lambda: resume(run),
        lambda: evaluate_run(composed("eval", f"run={run}", "checkpoint=last")),
        lambda: export_run(composed("export", f"run={run}", "checkpoint=last")),
        lambda: train(fresh),
    ):
        assert f"{last} is torn or not a checkpoint (" in sentence(task, capsys)
    told = sentence(lambda: evaluate_run(composed("eval", f"run={run}")), capsys)
    assert f"{best} is torn or not a checkpoint (" in told
    assert "use last.ckpt by checkpoint=last" in told
    assert not (run / "descriptor.safetensors").exists()
    assert not (run / "metrics.json").exists()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_released_file_is_not_imported(
    damage: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "released.pth"
    torch.save({"state_dict": {"conv1.weight": torch.randn(64, 3, 7, 7)}}, file)
    damage(file)
    told = sentence(lambda: import_released("pcb", file, tmp_path / "run"), capsys)
    assert f"{file} is torn or" in told
    assert "fetch it again" in told
    assert not (tmp_path / "run").exists()


def test_best_in_the_place_of_last_ends_as_the_run_did(whole: Path, run: Path) -> None:
    """The way out that the sentence names first: the epochs after the best one are trained again."""
    cut_at_the_end(run / "checkpoints" / "last.ckpt")
    shutil.copy(run / "checkpoints" / "best.ckpt", run / "checkpoints" / "last.ckpt")
    (run / "metrics.json").unlink()
    resume(run)
    assert run_differences(whole, run) == []


def test_a_deleted_last_checkpoint_begins_anew(
    whole: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other way out; the rows of the lost training leave the log."""
    (run / "checkpoints" / "last.ckpt").unlink()
    (run / "metrics.json").unlink()
    resume(run)
    assert "going on after" not in capsys.readouterr().out
    assert run_differences(whole, run) == []


def test_damaged_small_files_are_one_sentence_and_what_it_says_helps(
    whole: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, words, way_out in (
        ("config.yaml", "put back a copy (the run's checkpoints hold the settings too)", shutil.copy),
        ("csv/metrics.csv", "metrics.csv is torn: move it away or put back a copy", shutil.copy),
        ("environment.json", "environment.json is not readable as JSON", None),
        ("metrics.json", "metrics.json is not readable as JSON", None),
    ):
        file = run / name
        (run / "metrics.json").unlink(missing_ok=True)
        content = (whole / name).read_bytes()
        file.write_bytes(content[: 2 * len(content) // 3])
        told = sentence(lambda: resume(run), capsys)
        assert words in told
        assert file.name in told
        if way_out is None:
            assert "delete it" in told
            file.unlink()
        else:
            way_out(whole / name, file)
    resume(run)
    assert run_differences(whole, run) == []


def test_a_missing_configuration_is_no_run(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "config.yaml").unlink()
    told = sentence(lambda: resume(run), capsys)
    assert f"{run} is not a run folder (it has no config.yaml)" in told


@pytest.mark.parametrize("epoch", [0, 2])
def test_a_run_that_dies_behind_a_checkpoint_keeps_its_log(
    epoch: int, whole: Path, tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lightning logs the means of an epoch after the checkpoint from which the run goes on."""

    class Died(BaseException):
        pass

    save = WholeFileCheckpointIO.save_checkpoint

    def save_and_die(
        self: WholeFileCheckpointIO, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        save(self, checkpoint, path)
        if Path(path).name == "last.ckpt" and checkpoint["epoch"] == epoch:
            raise Died

    monkeypatch.setattr(WholeFileCheckpointIO, "save_checkpoint", save_and_die)
    with pytest.raises(Died):
        train(compose_training(tiny_root, tmp_path / "run", *PCB))
    monkeypatch.undo()
    resume(tmp_path / "run")
    assert run_differences(whole, tmp_path / "run") == []


def test_a_torn_run_of_a_grid_is_named(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(whole, tmp_path / "grid" / "0")
    file = tmp_path / "grid" / "0" / "config.yaml"
    file.write_bytes(file.read_bytes()[:400])
    (tmp_path / "grid" / MULTIRUN).write_text("hydra: {}\n")
    assert f"{file} is" in sentence(lambda: collect(tmp_path / "grid"), capsys)
