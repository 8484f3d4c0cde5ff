"""All splits by one command, and their mean and spread by another."""

import csv
import json
import statistics
from pathlib import Path

import pytest

from support.runs import NARROW, SMALL, call


@pytest.mark.slow
def test_two_splits_make_a_row(repo_root: Path, ilids_vid_root: Path, tmp_path: Path) -> None:
    status, output = call(
        repo_root,
        "train.py",
        "-m",
        "study=splits",
        "experiment=pcb_ilids_vid",
        "data.split=0,1",
        f"data.root={ilids_vid_root}",
        *SMALL,
        *NARROW,
        "model.visual.backbone=resnet10t",
        "model.visual.pretrained=false",
        "data.height=64",
        "data.width=32",
        "trainer.max_epochs=1",
        cwd=tmp_path,
    )
    assert status == 0, output
    folder = tmp_path / "runs" / "studies" / "splits"
    runs = [folder / "pcb_ilids_vid" / f"split_{split}" for split in (0, 1)]
    stored = [json.loads((run / "metrics.json").read_text()) for run in runs]
    assert [metrics["data"]["split"] for metrics in stored] == [0, 1]
    assert {metrics["protocol"] for metrics in stored} == {"cross_camera"}
    assert {(metrics["queries_counted"], metrics["gallery"]) for metrics in stored} == {(6, 6)}

    status, output = call(repo_root, "collect.py", f"folder={folder}", cwd=tmp_path)
    assert status == 0, output
    assert "mean ± standard deviation over splits" in output
    (row,) = csv.DictReader((folder / "table.csv").open())
    assert (row["row"], row["splits"]) == ("pcb_ilids_vid", "0 1")
    values = [metrics["mAP"] for metrics in stored]
    assert float(row["mAP_mean"]) == pytest.approx(statistics.fmean(values))
    assert float(row["mAP_std"]) == pytest.approx(statistics.stdev(values))
