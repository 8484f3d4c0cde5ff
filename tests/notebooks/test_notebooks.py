"""Both notebooks run from top to bottom."""

import json
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from vidreid.visualize import save_png


def execute(repo_root, name, monkeypatch, **environment):
    for key, value in environment.items():
        monkeypatch.setenv(key, str(value))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    book = nbformat.read(repo_root / "notebooks" / name, as_version=4)
    NotebookClient(
        book, timeout=120, resources={"metadata": {"path": str(repo_root / "notebooks")}}
    ).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    text = "\n".join(
        output.get("text", "")
        + str(output.get("data", {}).get("text/html", ""))
        + str(output.get("data", {}).get("text/markdown", ""))
        for output in outputs
    )
    return pictures, text


@pytest.fixture
def runs(tmp_path):
    for number, method in enumerate(("pcb", "kmpnet_pcb")):
        folder = tmp_path / "runs" / "seed_0" / method
        (folder / "csv").mkdir(parents=True)
        (folder / "config.yaml").write_text(f"seed: 0\nmodel:\n  name: {method}\n  stripes: 4\n")
        curve = np.linspace(0.6 + 0.1 * number, 1, 50)
        metrics = {
            "protocol": "official",
            "rank1": curve[0],
            "rank5": curve[4],
            "rank10": curve[9],
            "mAP": 0.5,
        }
        metrics |= {"mINP": None, "cmc": list(curve), "queries_counted": 40, "queries_dropped": 2}
        (folder / "metrics.json").write_text(json.dumps(metrics))
        (folder / "csv" / "metrics.csv").write_text(
            "epoch,step,train/loss,val/rank1\n0,9,4.5,\n1,19,3.5,\n1,19,,0.4\n"
        )
    save_png(
        np.full((20, 30, 3), 200, np.uint8), tmp_path / "runs" / "seed_0" / "pcb" / "pictures" / "ranked.png"
    )
    unfinished = tmp_path / "runs" / "unfinished"
    unfinished.mkdir()
    (unfinished / "config.yaml").write_text("seed: 1\n")
    return tmp_path / "runs"


@pytest.mark.slow
def test_explore_benchmark(repo_root, tiny_root, monkeypatch):
    pictures, text = execute(repo_root, "explore_benchmark.ipynb", monkeypatch, VIDREID_ROOT=tiny_root)
    assert pictures == 5  # one identity, two keypoint sources, lengths, cameras
    for word in ("official", "queries_removed", "detector", "left_wrist"):
        assert word in text


@pytest.mark.slow
def test_compare_runs(repo_root, runs, monkeypatch):
    pictures, text = execute(repo_root, "compare_runs.ipynb", monkeypatch, VIDREID_RUNS=runs)
    assert pictures == 4  # two logged quantities, CMC, one ranked list
    assert "2 runs" in text
    for word in ("kmpnet_pcb", "70.0", "model.name", "was not drawn"):
        assert word in text
    assert "model.stripes" not in text  # the same in both
    assert "do not compare" not in text


@pytest.mark.parametrize("name", ["explore_benchmark.ipynb", "compare_runs.ipynb"])
def test_committed_without_outputs(repo_root: Path, name):
    cells = nbformat.read(repo_root / "notebooks" / name, as_version=4).cells
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
