"""The settings for memory as a user gives them: ``train`` with micro_batch, checkpoint, precision, notes."""

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.runs import NARROW, SMALL, compose_training
from vidreid.commands.train import train
from vidreid.training.checkpoint import read_checkpoint

ONE_STEP = (*SMALL, "trainer.max_epochs=1", "trainer.limit_train_batches=2", "callbacks.pictures=null")
KEY_REID = (
    "experiment=key_reid_synthetic",
    *ONE_STEP,
    "data.identities_per_batch=2",
    "trainer.limit_test_batches=2",
)
MGH = (
    "experiment=mgh_synthetic",
    *ONE_STEP,
    NARROW[0],
    "model.visual.width=16",
    "trainer.limit_test_batches=2",
)


def losses(run: Path) -> list[dict[str, str]]:
    with (run / "csv" / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def run_of(root: Path, run: Path, *overrides: str) -> dict[str, Any]:
    train(compose_training(root, run, *overrides))
    return read_checkpoint(run / "checkpoints" / "last.ckpt")["state_dict"]


def test_checkpointing_changes_no_bit_of_a_training(tiny_root: Path, tmp_path: Path) -> None:
    plain = run_of(tiny_root, tmp_path / "plain", *KEY_REID)
    again = run_of(tiny_root, tmp_path / "again", *KEY_REID, "model.backbone.checkpoint=true")
    assert plain.keys() == again.keys()
    assert all((value == again[key]).all() for key, value in plain.items())


def test_a_training_in_pieces(tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = (*KEY_REID, "micro_batch=2", "precision=bf16-mixed", "model.backbone.checkpoint=true")
    state = run_of(tiny_root, tmp_path / "run", *settings)
    # Two steps of 4 clips in pieces of 2: each piece is counted once by the norms.
    assert state["network.necks.global.num_batches_tracked"] == 4
    assert all(value.isfinite().all() for value in state.values())
    stored = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert (stored["micro_batch"], stored["trainer"]["precision"]) == (2, "bf16-mixed")
    columns = {name for row in losses(tmp_path / "run") for name, value in row.items() if value}
    assert {"train/identity", "train/triplet", "train/center", "train/attention"} <= columns
    assert "accumulate_grad_batches" not in capsys.readouterr().out


def test_accumulated_batches_are_told_of_micro_batch(
    tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_of(
        tiny_root, tmp_path / "run", *MGH, "data.identities_per_batch=2", "trainer.accumulate_grad_batches=2"
    )
    out = capsys.readouterr().out
    assert out.count("note: trainer.accumulate_grad_batches=2 looks for positives and negatives inside") == 1


def test_a_bad_micro_batch_is_refused(tiny_root: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="micro_batch is 0: give the number of clips"):
        train(compose_training(tiny_root, tmp_path / "run", *KEY_REID, "micro_batch=0"))
    with pytest.raises(ValueError, match="micro_batch lets a single clip pass the network"):
        train(compose_training(tiny_root, tmp_path / "other", *KEY_REID, "micro_batch=1"))
