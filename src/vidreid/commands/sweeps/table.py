"""The table of a sweep: settings beside held-out numbers, the best first; test numbers never sort it."""

import csv
import io
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidreid.commands.study_table import NUMBERS
from vidreid.commands.table import aligned, spread

Numbers = dict[str, list[float]]


@dataclass(frozen=True)
class SweepRow:
    """One set of settings.

    Attributes:
        name: Of the trial, or of the runs.
        settings: What was changed, by its name.
        state: How it ended, in words.
        held_out: ``rank1`` and ``mAP`` on held-out identities, one a run; may be empty.
        test: The same on the test set.
        folders: Of its runs.
        whole: Whether its runs came to their end, so that their numbers compare.
    """

    name: str
    settings: Mapping[str, Any]
    state: str
    held_out: Numbers = field(default_factory=dict)
    test: Numbers = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    whole: bool = True


def read_numbers(folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Return the held-out and the test numbers of a run; empty where it has none.

    A run that did not look at the test set may have been evaluated later: then those numbers are taken.
    """
    found: list[dict[str, Any]] = [
        json.loads((folder / name).read_text()) if (folder / name).is_file() else {}
        for name in ("metrics.json", "eval.json")
    ]
    own, later = found
    return _pair(own.get("held_out") or {}), _pair(own) or _pair(later)


def best_first(rows: Sequence[SweepRow], *, maximize: bool = True) -> list[SweepRow]:
    """Return the rows by their held-out mAP; those that came to no end, or without it, stay behind."""

    def place(row: SweepRow) -> tuple[int, float]:
        values = row.held_out.get("mAP")
        if not values:
            return 2, 0.0
        mean = statistics.fmean(values)
        return (0 if row.whole else 1), (-mean if maximize else mean)

    return sorted(rows, key=place)


def markdown(rows: Sequence[SweepRow], title: str, *, seeds: bool) -> str:
    """Return the table in per cent, mean ± standard deviation over seeds.

    Args:
        rows: In their order.
        title: What the first column is called.
        seeds: Whether rows are of several seeds.
    """
    settings = _settings(rows)
    with_test = any(row.test for row in rows)
    head = [title, *settings, *(["seeds"] if seeds else [])]
    head += [f"held-out {name}" for name in NUMBERS.values()]
    head += [f"test {name} (not for choosing)" for name in NUMBERS.values()] if with_test else []
    lines = [[*head, "state"]]
    for row in rows:
        cells = [row.name, *(_short(row.settings.get(name, "")) for name in settings)]
        cells += [str(max(len(row.held_out.get("mAP", ())), len(row.test.get("mAP", ()))))] if seeds else []
        cells += [_told(row.held_out, key) for key in NUMBERS]
        cells += [_told(row.test, key) for key in NUMBERS] if with_test else []
        lines.append([*cells, row.state])
    return aligned(lines)


def as_csv(rows: Sequence[SweepRow], title: str) -> str:
    """Return the same table as CSV, numbers as they are."""
    settings = _settings(rows)
    kinds = ("held_out", "test")
    columns = [f"{kind}_{key}_{what}" for kind in kinds for key in NUMBERS for what in ("mean", "std")]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([title, *settings, "state", "runs", *columns, "folders"])
    for row in rows:
        cells: list[Any] = [row.name, *(row.settings.get(name, "") for name in settings), row.state]
        cells.append(len(row.folders))
        for numbers in (row.held_out, row.test):
            for key in NUMBERS:
                values = numbers.get(key, [])
                cells.append(statistics.fmean(values) if values else "")
                cells.append(statistics.stdev(values) if len(values) > 1 else "")
        writer.writerow([*cells, " ".join(row.folders)])
    return out.getvalue()


def together(numbers: Sequence[Mapping[str, float]]) -> Numbers:
    """Return the numbers of several runs by their names."""
    return {key: values for key in NUMBERS if (values := [one[key] for one in numbers if key in one])}


def _pair(numbers: Mapping[str, Any]) -> dict[str, float]:
    return {key: float(numbers[key]) for key in NUMBERS if numbers.get(key) is not None}


def _settings(rows: Sequence[SweepRow]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.settings))


def _told(numbers: Numbers, key: str) -> str:
    return spread(numbers[key]) if numbers.get(key) else ""


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
