"""The table of a study: mean and spread of its rows over seeds, beside the numbers of the paper.

What is repeated is the seed, or another setting that ``study.repeat`` names, such as the split of the data.
"""

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vidreid.commands.table import aligned, spread

NUMBERS = {"rank1": "rank-1", "mAP": "mAP"}
"""Keys of a run's numbers, and what the table calls them. ``KIND/KEY`` is that of a kind of queries."""


@dataclass(frozen=True)
class StudyRun:
    """One evaluation of one run of a study.

    Attributes:
        row: Name of the row; a descriptor other than the visual one follows after a slash.
        repeat: Seed of the training, or what is repeated instead.
        metrics: What its file of numbers holds.
        folder: The run's folder, for the list of runs.
    """

    row: str
    repeat: int
    metrics: Mapping[str, Any]
    folder: str


@dataclass(frozen=True)
class StudyRow:
    """A row of the table; numbers in per cent.

    Attributes:
        name: Name of the row.
        label: What the table calls it.
        repeats: The seeds (or what is repeated instead) that were run.
        values: ``rank1`` and ``mAP`` of each of them, in [0, 1].
        gains: The same minus those of the reference row, for the repeats that both have.
    """

    name: str
    label: str
    repeats: tuple[int, ...]
    values: dict[str, list[float]]
    gains: dict[str, list[float]]


def study_rows(runs: Sequence[StudyRun], study: Mapping[str, Any]) -> list[StudyRow]:
    """Group the runs of a study into rows, in the order of its labels.

    Args:
        runs: All evaluations.
        study: The ``study`` block of the configuration: ``labels``, ``reference``, ``repeat``.

    Raises:
        ValueError: If a row has two runs of a seed (or what is repeated instead), or runs differ in benchmark
            or protocol.
    """
    _check_comparable(runs)
    numbers = _numbers(runs)
    word = repeated(study)
    by_row: dict[str, dict[int, StudyRun]] = {}
    for run in runs:
        own = by_row.setdefault(run.row, {})
        if run.repeat in own:
            raise ValueError(
                f"The row {run.row!r} has {word} {run.repeat} twice, in {own[run.repeat].folder} and "
                f"{run.folder}: move one of them out of the study's folder."
            )
        own[run.repeat] = run
    labels: Mapping[str, str] = study.get("labels") or {}
    names = [name for name in labels if name in by_row] + sorted(by_row.keys() - labels.keys())
    reference = by_row.get(study.get("reference") or "", {})
    rows = []
    for name in names:
        own = by_row[name]
        repeats = tuple(sorted(own))
        both = [repeat for repeat in repeats if repeat in reference] if name != study.get("reference") else []
        rows.append(
            StudyRow(
                name=name,
                label=labels.get(name, name),
                repeats=repeats,
                values={key: [_number(own[repeat], key) for repeat in repeats] for key in numbers},
                gains={
                    key: [_number(own[repeat], key) - _number(reference[repeat], key) for repeat in both]
                    for key in numbers
                },
            )
        )
    return rows


def repeated(study: Mapping[str, Any]) -> str:
    """Return the word for what is repeated: ``seed``, or the last part of ``study.repeat``."""
    return str(study.get("repeat") or "seed").rpartition(".")[2]


def markdown(rows: Sequence[StudyRow], study: Mapping[str, Any]) -> str:
    """Return the table: mean ± standard deviation over seeds (or what is repeated instead), in per cent.

    The gain over the reference row is taken repeat by repeat, so that its spread is that of the difference.
    """
    papers: Mapping[str, Mapping[str, Sequence[float]]] = study.get("paper") or {}
    reference = (study.get("labels") or {}).get(study.get("reference"))
    names = {key: _name(key) for key in (rows[0].values if rows else NUMBERS)}
    head = ["row", f"{repeated(study)}s", *names.values()]
    head += [f"{name} over {reference!r}" for name in names.values()] if reference else []
    head += [f"paper, {data}: rank-1 / mAP" for data in papers]
    lines = []
    for row in rows:
        cells = [row.label, str(len(row.repeats)), *(spread(row.values[key]) for key in names)]
        if reference:
            cells += [signed(row.gains[key]) for key in names]
        cells += [_paper(papers[data].get(row.name)) for data in papers]
        lines.append(cells)
    return aligned([head, *lines])


def rows_csv(rows: Sequence[StudyRow], study: Mapping[str, Any]) -> str:
    """Return the same table as CSV: one line a row, numbers as they are."""
    papers: Mapping[str, Mapping[str, Sequence[float]]] = study.get("paper") or {}
    columns = ["row", "label", f"{repeated(study)}s"]
    keys = list(rows[0].values if rows else NUMBERS)
    for key in keys:
        columns += [f"{key}_mean", f"{key}_std", f"{key}_gain_mean", f"{key}_gain_std"]
    columns += [f"paper_{data}_{key}" for data in papers for key in NUMBERS]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        cells: list[Any] = [row.name, row.label, " ".join(map(str, row.repeats))]
        for key in keys:
            cells += [*_mean_and_deviation(row.values[key]), *_mean_and_deviation(row.gains[key])]
        for data in papers:
            told = papers[data].get(row.name)
            cells += [round(value / 100, 6) for value in told] if told else ["", ""]
        writer.writerow(cells)
    return out.getvalue()


def runs_csv(runs: Sequence[StudyRun], study: Mapping[str, Any]) -> str:
    """Return one line a run, with all its numbers and its folder."""
    keys = ["rank1", "rank5", "rank10", "rank20", "mAP", "mINP", "protocol", "epochs"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    kinds = [key for key in _numbers(runs) if "/" in key]
    writer.writerow(["row", repeated(study), *keys, *kinds, "folder"])
    for run in sorted(runs, key=lambda run: (run.row, run.repeat)):
        values = [run.metrics[key] for key in keys] + [_number(run, key) for key in kinds]
        writer.writerow([run.row, run.repeat, *values, run.folder])
    return out.getvalue()


def signed(differences: Sequence[float]) -> str:
    """Return ``+mean ± standard deviation`` in per cent; nothing for no difference."""
    if not differences:
        return ""
    percent = [100 * value for value in differences]
    mean = f"{statistics.fmean(percent):+.1f}"
    return mean if len(percent) == 1 else f"{mean} ± {statistics.stdev(percent):.1f}"


def _numbers(runs: Sequence[StudyRun]) -> list[str]:
    """Return the keys of the numbers that all runs have: their own, and those of kinds of queries."""
    kinds = [set(run.metrics.get("subsets", {})) for run in runs]
    shared = sorted(set.intersection(*kinds)) if kinds else []
    return [*NUMBERS, *(f"{kind}/{key}" for kind in shared for key in NUMBERS)]


def _number(run: StudyRun, key: str) -> float:
    kind, _, own = key.rpartition("/")
    return run.metrics["subsets"][kind][own] if kind else run.metrics[own]


def _name(key: str) -> str:
    kind, _, own = key.rpartition("/")
    return f"{kind} {NUMBERS[own]}" if kind else NUMBERS[own]


def _check_comparable(runs: Sequence[StudyRun]) -> None:
    # Runs of earlier versions do not say what asked and how clips were pooled: there was one way.
    for key, before in (
        ("protocol", None),
        ("average_precision", None),
        ("query", "tracklet"),
        ("pooling", "mean"),
    ):
        found = sorted({str(run.metrics.get(key, before)) for run in runs})
        if len(found) > 1:
            raise ValueError(f"The runs of the study differ in {key} ({', '.join(found)}) and make no table.")
    data = sorted({f"{run.metrics['data']['name']} in {run.metrics['data']['root']}" for run in runs})
    if len(data) > 1:
        raise ValueError(f"The runs of the study differ in their data ({', '.join(data)}) and make no table.")


def _mean_and_deviation(values: Sequence[float]) -> list[Any]:
    if not values:
        return ["", ""]
    return [statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else ""]


def _paper(told: Sequence[float] | None) -> str:
    return f"{told[0]:.1f} / {told[1]:.1f}" if told else ""
