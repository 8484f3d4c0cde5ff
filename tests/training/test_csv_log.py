"""The CSV log keeps what was logged before a run was resumed, once."""

import csv
from pathlib import Path

from vidreid.training.csv_log import CsvLog


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as source:
        return list(csv.DictReader(source))


def test_rows_of_one_step_are_one_row(tmp_path: Path) -> None:
    log = CsvLog(tmp_path / "csv" / "metrics.csv")
    log.log_metrics({"train/loss": 2.0, "epoch": 0}, step=9)
    log.log_metrics({"lr": 0.1}, step=9)
    log.log_metrics({"train/loss": 1.0, "epoch": 1}, step=19)
    log.save()
    assert rows(tmp_path / "csv" / "metrics.csv") == [
        {"epoch": "0", "step": "9", "lr": "0.1", "train/loss": "2.0"},
        {"epoch": "1", "step": "19", "lr": "", "train/loss": "1.0"},
    ]


def test_a_resumed_log_repeats_nothing(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    first = CsvLog(file)
    for step in (9, 19, 24):  # killed in the third epoch, after the checkpoint of step 20
        first.log_metrics({"loss": float(step)}, step=step)
    first.save()
    second = CsvLog(file)
    second.forget_after(20)
    for step in (24, 29):
        second.log_metrics({"loss": float(100 + step)}, step=step)
    second.finalize("success")
    assert [(row["step"], row["loss"]) for row in rows(file)] == [
        ("9", "9.0"),
        ("19", "19.0"),
        ("24", "124.0"),
        ("29", "129.0"),
    ]
