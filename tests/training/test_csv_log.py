"""The CSV log keeps what was logged before a run was resumed, once."""

import csv
from pathlib import Path

import pytest

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


def test_a_log_cut_anywhere_is_refused_or_lacks_whole_rows(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    log = CsvLog(file)
    for step in (9, 19, 29):
        log.log_metrics({"train/loss": step / 7, "epoch": step // 10}, step=step)
    log.save()
    whole, everything = file.read_bytes(), CsvLog(file).rows
    lines = [n + 1 for n, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        if length in lines:
            assert CsvLog(file).rows == everything[: lines.index(length)]
            continue
        with pytest.raises(ValueError, match=r"metrics\.csv is (torn|damaged).*: move it away or put back"):
            CsvLog(file)


NOT_OURS = (
    b"epoch,step\n0,x\n", b"epoch,loss\n0,1\n", b"step\n\xff\n", b"step\nnan\n", b"step\n1e999\n",
    b'step\n"1\n', b"step,a\n1\n", b"step,a\n1,2,3\n", b"step\n\0\n",
)  # fmt: skip


@pytest.mark.parametrize("damage", NOT_OURS)
def test_another_file_is_refused(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / "metrics.csv"
    file.write_bytes(damage)
    with pytest.raises(ValueError, match=r"metrics\.csv is (torn|damaged).*: move it away or put back"):
        CsvLog(file)
    assert file.read_bytes() == damage


def test_a_quoted_name_comes_back(tmp_path: Path) -> None:
    """Names with commas, quotes or line ends lie in one field each."""
    log = CsvLog(tmp_path / "metrics.csv")
    log.log_metrics({'a,"b"\nc': 1.0}, step=0)
    log.save()
    assert CsvLog(tmp_path / "metrics.csv").rows == [{"step": "0", 'a,"b"\nc': "1.0"}]
