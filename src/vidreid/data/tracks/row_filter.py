"""Which rows of a file of boxes are used."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidreid.data.tracks.text_table import TextTable

UNTOLD = -1
"""What stands for an id, a class, a confidence or a visibility that is not told."""


@dataclass(frozen=True)
class RowFilter:
    """Which rows of a file of boxes are used.

    Attributes:
        classes: Of MOT: 1 is a pedestrian; rows that tell no class stay. ``None``: all.
        min_confidence: The least. Rows that tell none, or -1, stay; those of 0 never do, because that is how
            annotations mark what is not to be counted.
        min_visibility: The least, where it is told.
        first_frame: The number of the video's first picture in the column ``frame``: 1 in MOT, 0 for some
            trackers.
    """

    classes: Sequence[int] | None = (1,)
    min_confidence: float | None = None
    min_visibility: float | None = None
    first_frame: int = 1


def filter_rows(
    table: TextTable, rows: RowFilter, tracked: NDArray[np.bool_]
) -> tuple[dict[str, int], NDArray[np.bool_]]:
    """Apply the filter.

    Args:
        table: Rows of boxes.
        rows: Which are used.
        tracked: ``(n,)`` whether a row has a track's id.

    Returns:
        How many rows each reason leaves out, a row under the first that fits, and ``(n,)`` which rows stay.

    Raises:
        DataError: If a class, confidence or visibility is no number.
    """
    reasons: dict[str, NDArray[np.bool_]] = {"without a track id": ~tracked}
    if table.has("class") and rows.classes is not None:
        classes = table.whole_numbers("class")
        reasons["of other classes"] = ~np.isin(classes, [UNTOLD, *rows.classes])
    if table.has("conf"):
        confidence = table.numbers("conf")
        reasons["with confidence 0"] = confidence == 0
        if rows.min_confidence is not None:
            reasons["below min_confidence"] = (confidence != UNTOLD) & (confidence < rows.min_confidence)
    if table.has("visibility") and rows.min_visibility is not None:
        visibility = table.numbers("visibility")
        reasons["below min_visibility"] = (visibility != UNTOLD) & (visibility < rows.min_visibility)
    keep = np.ones(len(table), dtype=bool)
    left_out: dict[str, int] = {}
    for reason, bad in reasons.items():
        count = int((keep & bad).sum())
        if count:
            left_out[reason] = count
        keep &= ~bad
    return left_out, keep


def nothing_left(table: TextTable, left_out: dict[str, int], rows: RowFilter) -> str:
    """Say what to do about a file of which no row stays."""
    if set(left_out) == {"without a track id"}:
        return (
            f"{table.path} holds detections without tracks (every id is -1): run a tracker on them and give "
            "its results."
        )
    told = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    classes = f" (its classes are {_classes(table)})" if "of other classes" in left_out else ""
    return (
        f"No box of {table.path} is left{classes}: {told}: change classes={rows.classes}, "
        f"min_confidence={rows.min_confidence} or min_visibility={rows.min_visibility}."
    )


def _classes(table: TextTable) -> str:
    return ", ".join(str(number) for number in np.unique(table.whole_numbers("class"))[:10])
