"""A CSV log that a resumed run continues instead of deleting."""

import csv
import io
from argparse import Namespace
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only
from typing_extensions import override

from vidreid.errors import DataError
from vidreid.files import write_whole

_WAY_OUT = "move it away or put back a copy; without it the log begins where the run goes on"


class CsvLog(Logger):
    """Rows of ``epoch, step, name...`` in one file, rewritten whole so that a kill cannot tear it.

    Rows that lie after the step from which a run resumes belong to an epoch that is repeated: they are
    dropped by ``forget_after``.

    Args:
        file: The CSV file.

    Raises:
        DataError: If there is a file that this log has not written or that is torn.
    """

    def __init__(self, file: str | Path) -> None:
        super().__init__()
        self.file = Path(file)
        self.rows: list[dict[str, Any]] = _read(self.file) if self.file.is_file() else []

    @property
    @override
    def name(self) -> str:
        return "csv"

    @property
    @override
    def version(self) -> str:
        return ""

    @property
    @rank_zero_experiment
    def experiment(self) -> "CsvLog":
        """Return the log itself."""
        return self

    @override
    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the configuration has its own file."""

    @override
    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        values: dict[str, Any] = {"step": step if step is not None else len(self.rows)}
        values.update(metrics)
        if self.rows and str(self.rows[-1]["step"]) == str(values["step"]):
            self.rows[-1].update(values)
        else:
            self.rows.append(values)

    @rank_zero_only
    def forget_after(self, step: int) -> None:
        """Drop rows of later steps than ``step``."""
        self.rows = [row for row in self.rows if int(float(row["step"])) < step]

    @override
    @rank_zero_only
    def save(self) -> None:
        if not self.rows:
            return
        names = ["epoch", "step"]
        names += sorted({name for row in self.rows for name in row} - set(names))
        with write_whole(self.file) as temporary, temporary.open("w", newline="") as target:
            writer = csv.DictWriter(target, names)
            writer.writeheader()
            writer.writerows(self.rows)

    @override
    @rank_zero_only
    def finalize(self, status: str) -> None:
        self.save()


def _read(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a log, without what is empty in them."""
    try:
        with file.open(newline="", encoding="utf-8") as source:
            text = source.read()
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        step = header.index("step")
        for row in rows:
            int(float(row[step]))  # as forget_after reads it
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}): {_WAY_OUT}.") from error
    # No UTF-8, no CSV, no header, no number where the step should be.
    except (ValueError, IndexError, OverflowError, csv.Error) as error:
        raise DataError(f"{file} is damaged ({error}): {_WAY_OUT}.") from error
    if not text.endswith("\n") or any(len(row) != len(header) for row in rows):
        raise DataError(f"{file} is torn: {_WAY_OUT}.")
    return [{name: value for name, value in zip(header, row, strict=True) if value} for row in rows]
