"""What must hold for any tree in MARS format."""

import numpy as np
from numpy.typing import NDArray

from vidreid.data.mars_format import DISTRACTOR_PID, JUNK_PID
from vidreid.data.readers.mars_names import parse_names, shown
from vidreid.errors import DataError


def check_rows(split: str, rows: NDArray[np.int64], prefix: str = "") -> None:
    """Check that the tracklets of a split follow on each other, and ``check_ranges``.

    Args:
        split: ``train`` or ``test``, for the message.
        rows: ``(n, 4)``: first and last frame (1-based, inclusive), identity, camera.
        prefix: What the file's name begins with beside MARS's own, for the message.

    Raises:
        DataError: If frames are missing between tracklets, or an identity or camera is out of range.
    """
    first, last = rows[:, 0], rows[:, 1]
    expected = np.concatenate([[1], last[:-1] + 1])
    wrong = (first != expected) | (last < first)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{prefix}tracks_{split}_info.mat, tracklet {row + 1}: frames {first[row]} to {last[row]}, but "
            f"one that starts at frame {expected[row]} must come here; the file is damaged or of another "
            "format."
        )
    check_ranges(split, rows, prefix)


def check_ranges(split: str, rows: NDArray[np.int64], prefix: str = "") -> None:
    """Check each tracklet of a split on its own; the arguments are those of ``check_rows``.

    Raises:
        DataError: If one has no frames, or an identity or camera is out of range.
    """
    first, last, pid, camera = rows.T
    if (last < first).any():
        row = int(np.argmax(last < first))
        raise DataError(
            f"{prefix}tracks_{split}_info.mat, tracklet {row + 1}: frames {first[row]} to {last[row]} are "
            "none; the file is damaged or of another format."
        )
    lowest = 1 if split == "train" else JUNK_PID
    for what, values, low, high in (("identity", pid, lowest, 9999), ("camera", camera, 1, 9)):
        wrong = (values < low) | (values > high)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DataError(
                f"{prefix}tracks_{split}_info.mat, tracklet {row + 1}: {what} {values[row]} is not in "
                f"{low}..{high}; the file is damaged or of another format."
            )


def check_names(split: str, rows: NDArray[np.int64], names: NDArray[np.bytes_], prefix: str = "") -> None:
    """Check that each frame's name says the identity and camera of its tracklet, and stands there once.

    Raises:
        DataError: With the first frame that belongs to another, or a name that comes twice.
    """
    pids, cameras = parse_names(names)
    lengths = rows[:, 1] - rows[:, 0] + 1
    wrong = (pids != np.repeat(rows[:, 2], lengths)) | (cameras != np.repeat(rows[:, 3], lengths))
    if wrong.any():
        frame = int(np.argmax(wrong))
        row = int(np.searchsorted(rows[:, 1], frame + 1))
        raise DataError(
            f"Frame {frame + 1} of the {split} name list is {shown(names[frame])}, but its tracklet "
            f"{row + 1} is of identity {rows[row, 2]}, camera {rows[row, 3]}: the name list and "
            f"{prefix}tracks_{split}_info.mat do not belong together."
        )
    ordered = np.sort(names)
    twice = ordered[1:] == ordered[:-1]
    if twice.any():
        raise DataError(
            f"The {split} name list has {shown(ordered[int(np.argmax(twice))])} twice: take a whole copy."
        )


def check_query(query: NDArray[np.int64], test_rows: NDArray[np.int64], prefix: str = "") -> None:
    """Check that queries are different tracklets of people who can be searched for.

    Args:
        query: ``(q,)`` 0-based rows of ``test_rows``.
        test_rows: ``(n, 4)``.
        prefix: What the files' names begin with beside MARS's own, for the message.

    Raises:
        DataError: If a query is out of range, comes twice, or is junk or a distractor.
    """
    if len(query) == 0 or query.min() < 0 or query.max() >= len(test_rows):
        raise DataError(
            f"{prefix}query_IDX.mat must point to rows 1..{len(test_rows)} of the test tracklets; it is "
            f"empty or does not belong to this {prefix}tracks_test_info.mat."
        )
    if len(np.unique(query)) != len(query):
        raise DataError(f"{prefix}query_IDX.mat names a tracklet twice: take a whole copy of the file.")
    if (test_rows[query, 2] <= DISTRACTOR_PID).any():
        raise DataError(
            f"{prefix}query_IDX.mat names junk or distractors as queries: it belongs to another "
            f"{prefix}tracks_test_info.mat."
        )
