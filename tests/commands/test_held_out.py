"""Numbers of held-out identities: in ``metrics.json``, alone where nobody may look at the test set."""

import csv
import json
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from support.runs import NARROW, SMALL, compose_training
from vidreid.commands import config_dir
from vidreid.commands.evaluate import evaluate_run
from vidreid.commands.train import train
from vidreid.data.datamodule import ReidDataModule

HELD_OUT = (
    "experiment=pcb_synthetic",
    *SMALL,
    *NARROW,
    "data.held_out_identities=2",
    "callbacks.pictures=null",
)


def curve(run: Path) -> dict[int, tuple[float, float]]:
    """What every validation of the training found, by its epoch (from 1)."""
    with (run / "csv" / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("val/mAP")]
    return {int(row["epoch"]) + 1: (float(row["val/rank1"]), float(row["val/mAP"])) for row in rows}


@pytest.mark.parametrize("select", ["best", "last"])
def test_the_selected_checkpoint_is_measured(tiny_root: Path, tmp_path: Path, select: str) -> None:
    words = (*HELD_OUT, "trainer.max_epochs=3", f"select={select}")
    metrics = train(compose_training(tiny_root, tmp_path, *words))
    found = curve(tmp_path)
    assert list(found) == [1, 2, 3]
    epoch = 3 if select == "last" else max(found, key=lambda epoch: (found[epoch][1], -epoch))
    rank1, mean_ap = found[epoch]
    assert metrics["held_out"] == {
        "rank1": pytest.approx(rank1),
        "mAP": pytest.approx(mean_ap),
        "epoch": epoch,
    }
    assert json.loads((tmp_path / "metrics.json").read_text())["held_out"] == metrics["held_out"]
    assert metrics["mAP"] != metrics["held_out"]["mAP"]


def test_a_run_without_held_out_identities_has_none(tiny_root: Path, tmp_path: Path) -> None:
    words = ("experiment=pcb_synthetic", *SMALL, *NARROW, "callbacks.pictures=null", "trainer.max_epochs=1")
    assert "held_out" not in train(compose_training(tiny_root, tmp_path, *words))


def test_the_test_set_is_not_touched(
    tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def looked(self: ReidDataModule) -> None:
        raise AssertionError("somebody looks at the test set")

    with monkeypatch.context() as patch:
        patch.setattr(ReidDataModule, "test_dataloader", looked)
        patch.setattr(ReidDataModule, "test_data", looked)
        metrics = train(
            compose_training(tiny_root, tmp_path, *HELD_OUT, "trainer.max_epochs=1", "test=false")
        )
    assert metrics["test"] == "not evaluated: test=false"
    assert set(metrics["held_out"]) == {"rank1", "mAP", "epoch"}
    assert not {"rank1", "mAP", "cmc", "protocol"} & metrics.keys()
    assert "held-out identities, after 1 epochs:  rank1" in capsys.readouterr().out
    # Later, by intention.
    with initialize_config_dir(config_dir(), version_base="1.3"):
        later = evaluate_run(compose("eval", [f"run={tmp_path}"]))
    assert later["queries_counted"] == 14
    assert json.loads((tmp_path / "eval.json").read_text())["mAP"] == later["mAP"]
    assert json.loads((tmp_path / "metrics.json").read_text()) == metrics
