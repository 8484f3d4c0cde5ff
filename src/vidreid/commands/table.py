"""Tables of several runs, with mean and spread over seeds."""

import statistics
from collections.abc import Sequence
from typing import Any

COLUMNS = {"rank1": "rank-1", "rank5": "rank-5", "mAP": "mAP", "mINP": "mINP"}


def comparison_table(rows: list[dict[str, Any]]) -> str:
    """Return a Markdown table: one line a method, per cent, mean ± standard deviation over seeds.

    Args:
        rows: Dictionaries with ``method``, ``seed`` and the numbers in [0, 1].
    """
    methods = list(dict.fromkeys(row["method"] for row in rows))
    width = max(len(method) for method in methods)
    lines = [
        f"| {'method':<{width}} | seeds | " + " | ".join(f"{name:>12}" for name in COLUMNS.values()) + " |",
        f"|{'-' * (width + 2)}|-------|" + "|".join(["-" * 13 + ":"] * len(COLUMNS)) + "|",
    ]
    for method in methods:
        own = [row for row in rows if row["method"] == method]
        cells = " | ".join(f"{spread([row[key] for row in own]):>12}" for key in COLUMNS)
        lines.append(f"| {method:<{width}} | {len(own):>5} | {cells} |")
    return "\n".join(lines)


def spread(values: list[float]) -> str:
    """Return ``mean ± standard deviation`` (n - 1) in per cent; one value stands alone."""
    percent = [100 * value for value in values]
    mean = f"{statistics.fmean(percent):.1f}"
    return mean if len(percent) == 1 else f"{mean} ± {statistics.stdev(percent):.1f}"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table: the first line is the head, the first column stands left."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def text(line: Sequence[str]) -> str:
        cells = [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]
        return f"| {' | '.join(cells)} |"

    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([text(lines[0]), f"|{rule}|", *(text(line) for line in lines[1:])])
