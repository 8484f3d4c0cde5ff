"""The demo in its smallest form: the table, its files, and what a second call does."""

import json
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from support.runs import NARROW
from vidreid.commands import config_dir
from vidreid.commands.demo import run_demo
from vidreid.commands.table import comparison_table, spread


@pytest.fixture(scope="module")
def settings(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> DictConfig:
    given = {
        "size": "tiny",
        "root": str(tiny_root),
        "runs": str(tmp_path_factory.mktemp("demo")),
        "workers": 0,
        "first_epochs": 1,
        "second_epochs": 1,
        "overrides": [*NARROW, "model.visual.dropout=0.0", "logger.wandb.mode=disabled", "data.batch_size=4"],
    }
    merged = OmegaConf.merge(OmegaConf.load(Path(config_dir()) / "demo.yaml"), given)
    assert isinstance(merged, DictConfig)
    return merged


def test_the_table_and_its_files(settings: DictConfig, capsys: pytest.CaptureFixture[str]) -> None:
    rows = run_demo(settings)
    assert [row["method"] for row in rows] == ["mean colour", "PCB", "PCB, trained on", "KMPNet(PCB)"]
    runs = Path(settings.runs)
    assert json.loads((runs / "comparison.json").read_text()) == json.loads(json.dumps(rows))
    printed = capsys.readouterr().out
    assert (runs / "comparison.md").read_text().strip() in printed
    for row in rows[1:]:
        assert (Path(row["run"]) / "pictures" / "ranked.png").is_file()
    assert rows[2]["parameters"]["describing"] == rows[3]["parameters"]["describing"]


def test_a_second_call_trains_nothing_again(settings: DictConfig) -> None:
    files = sorted(Path(settings.runs).rglob("last.ckpt"))
    before = [file.stat().st_mtime_ns for file in files]
    assert len(files) == 3
    run_demo(settings)
    assert [file.stat().st_mtime_ns for file in files] == before


def test_spread_is_the_sample_standard_deviation() -> None:
    assert spread([0.5]) == "50.0"
    assert spread([0.40, 0.50, 0.60]) == "50.0 ± 10.0"


def test_methods_keep_their_order() -> None:
    numbers = {"rank1": 0.5, "rank5": 0.6, "mAP": 0.4, "mINP": 0.1}
    rows = [{"method": m, "seed": s, **numbers} for s in (0, 1) for m in ("PCB", "KMPNet(PCB)")]
    lines = comparison_table(rows).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["PCB", "KMPNet(PCB)"]
    assert lines[2].split("|")[2].strip() == "2"
