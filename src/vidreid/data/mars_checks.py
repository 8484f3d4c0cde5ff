"""What must hold for any tree in MARS format, and which counts MARS itself has."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.mars_format import DISTRACTOR_PID, JUNK_PID
from vidreid.data.mars_names import parse_names
from vidreid.data.notices import differing_counts
from vidreid.data.protocols import GALLERY_ROLE, PROTOCOLS
from vidreid.data.tracklets import column
from vidreid.errors import DataError

MARS_COUNTS: dict[str, int] = {
    "train tracklets": 8298,
    "train identities": 625,
    "train frames": 509_914,
    "test tracklets": 12_180,
    "test identities": 634,
    "test frames": 681_089,
    "junk tracklets": 870,
    "distractor tracklets": 3248,
    "tracklets of test identities": 8062,
    "queries": 1980,
    "query identities": 626,
    "gallery under official": 11_310,
    "gallery under junk_as_wrong": 12_180,
    "gallery under queries_removed": 9330,
    "gallery under no_distractors": 6082,
    "cameras": 6,
}
"""Counts of MARS from its own metadata; the test identities leave out junk and distractors."""


def mars_counts(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, int]:
    """Count what ``MARS_COUNTS`` counts.

    Args:
        train: The training table.
        test: The test table.
    """
    pid, is_query = column(test, "pid"), test["is_query"].to_numpy(dtype=bool)
    real = (pid != JUNK_PID) & (pid != DISTRACTOR_PID)
    counts = {
        "train tracklets": len(train),
        "train identities": train["pid"].nunique(),
        "train frames": int((column(train, "stop") - column(train, "start")).sum()),
        "test tracklets": len(test),
        "test identities": len(np.unique(pid[real])),
        "test frames": int((column(test, "stop") - column(test, "start")).sum()),
        "junk tracklets": int((pid == JUNK_PID).sum()),
        "distractor tracklets": int((pid == DISTRACTOR_PID).sum()),
        "tracklets of test identities": int(real.sum()),
        "queries": int(is_query.sum()),
        "query identities": len(np.unique(pid[is_query])),
    }
    for name in ("official", "junk_as_wrong", "queries_removed", "no_distractors"):
        counts[f"gallery under {name}"] = int((PROTOCOLS[name].roles(test) & GALLERY_ROLE > 0).sum())
    counts["cameras"] = len(np.union1d(column(train, "camera"), column(test, "camera")))
    return counts


def compare_with_mars(counts: dict[str, int]) -> str | None:
    """Return a sentence that names the counts that differ from MARS, or ``None``."""
    return differing_counts(counts, MARS_COUNTS, "MARS")


def check_rows(split: str, rows: NDArray[np.int64]) -> None:
    """Check the tracklets of a split on their own.

    Args:
        split: ``train`` or ``test``, for the message.
        rows: ``(n, 4)``: first and last frame (1-based, inclusive), identity, camera.

    Raises:
        DataError: If frames are missing between tracklets, or an identity or camera is out of range.
    """
    first, last, pid, camera = rows.T
    expected = np.concatenate([[1], last[:-1] + 1])
    wrong = (first != expected) | (last < first)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"tracks_{split}_info.mat, tracklet {row + 1}: frames {first[row]} to {last[row]}, but one that "
            f"starts at frame {expected[row]} must come here; the file is damaged or of another format."
        )
    lowest = 1 if split == "train" else JUNK_PID
    for what, values, low, high in (("identity", pid, lowest, 9999), ("camera", camera, 1, 9)):
        wrong = (values < low) | (values > high)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DataError(
                f"tracks_{split}_info.mat, tracklet {row + 1}: {what} {values[row]} is not in {low}..{high}; "
                "the file is damaged or of another format."
            )


def check_names(split: str, rows: NDArray[np.int64], names: NDArray[np.bytes_]) -> None:
    """Check that each frame's name says the identity and camera of its tracklet.

    Raises:
        DataError: With the first frame that belongs to another.
    """
    pids, cameras = parse_names(names)
    lengths = rows[:, 1] - rows[:, 0] + 1
    wrong = (pids != np.repeat(rows[:, 2], lengths)) | (cameras != np.repeat(rows[:, 3], lengths))
    if wrong.any():
        frame = int(np.argmax(wrong))
        row = int(np.searchsorted(rows[:, 1], frame + 1))
        raise DataError(
            f"Frame {frame + 1} of the {split} name list is {names[frame].decode()}, but its tracklet "
            f"{row + 1} is of identity {rows[row, 2]}, camera {rows[row, 3]}: the name list and "
            f"tracks_{split}_info.mat do not belong together."
        )


def check_query(query: NDArray[np.int64], test_rows: NDArray[np.int64]) -> None:
    """Check that queries are different tracklets of people who can be searched for.

    Args:
        query: ``(q,)`` 0-based rows of ``test_rows``.
        test_rows: ``(n, 4)``.

    Raises:
        DataError: If a query is out of range, comes twice, or is junk or a distractor.
    """
    if len(query) == 0 or query.min() < 0 or query.max() >= len(test_rows):
        raise DataError(
            f"query_IDX.mat must point to rows 1..{len(test_rows)} of the test tracklets; it is empty or "
            "does not belong to this tracks_test_info.mat."
        )
    if len(np.unique(query)) != len(query):
        raise DataError("query_IDX.mat names a tracklet twice: take a whole copy of the file.")
    if (test_rows[query, 2] <= DISTRACTOR_PID).any():
        raise DataError(
            "query_IDX.mat names junk or distractors as queries: it belongs to another tracks_test_info.mat."
        )
