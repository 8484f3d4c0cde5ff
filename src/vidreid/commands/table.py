"""Tables of several runs, with mean and spread over seeds."""

import statistics
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
