"""The text files of MEVID: tables of numbers that are written as floats and count from 0."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidreid.data.mars_format import TEST_NAMES, TRAIN_NAMES, read_names
from vidreid.data.readers.mevid_names import check_names
from vidreid.errors import DataError

TRAIN_TRACKS = "track_train_info.txt"
TEST_TRACKS = "track_test_info.txt"
QUERY = "query_IDX.txt"
LISTS = (TRAIN_TRACKS, TEST_TRACKS, QUERY, TRAIN_NAMES, TEST_NAMES)
"""The files that must be there."""

_COLUMNS = "first frame, last frame, identity, outfit, camera"
_LARGEST = 2.0**53  # above it floats skip whole numbers


@dataclass(frozen=True)
class MevidSplit:
    """The tracklets of a split.

    Attributes:
        rows: ``(n, 5)`` int64, as they are written: first and last frame, identity, outfit, camera.
        stops: ``(n,)`` int64, one past the last frame of each; the first begins at 0.
        names: ``(frames,)`` byte strings.
    """

    rows: NDArray[np.int64]
    stops: NDArray[np.int64]
    names: NDArray[np.bytes_]


def read_split(folder: Path, tracks: str, name_list: str) -> MevidSplit:
    """Read the table of a split and its name list, and check that they belong together.

    Args:
        folder: Where they lie.
        tracks: File of the table.
        name_list: File of the names.

    Raises:
        DataError: If a file is of another form, or they contradict each other.
    """
    rows = _read_numbers(folder / tracks, 5)
    names = read_names(folder / name_list)
    assert names is not None, name_list
    stops = tracklet_stops(rows[:, 0], rows[:, 1], len(names), folder / tracks, name_list)
    check_names(rows[:, 2:], stops, names, tracks, name_list)
    return MevidSplit(rows, stops, names)


def tracklet_stops(
    first: NDArray[np.int64], last: NDArray[np.int64], frames: int, path: Path, name_list: str
) -> NDArray[np.int64]:
    """Find out whether the second column is a tracklet's last frame or one past it.

    Tracklets follow one another without gap up to the end of the name list, so that only one of the two fits.

    Args:
        first: ``(n,)``, counted from 0.
        last: ``(n,)``.
        frames: Names in the list.
        path: Of the table, for messages.
        name_list: Of the names, for messages.

    Returns:
        ``(n,)``, one past the last frame.

    Raises:
        DataError: If neither fits; the first row that does not is named.
    """
    begun = []
    for stops in (last + 1, last):
        wrong = (first != np.concatenate([[0], stops[:-1]])) | (stops <= first)
        if not wrong.any() and stops[-1] == frames:
            return stops
        begun.append(int(np.argmax(wrong)) if wrong.any() else len(first))
    row = max(begun)
    if row == len(first):
        raise DataError(
            f"{path} ends at frame {last[-1]}, but {name_list} has {frames:,} names: take whole copies of "
            "both."
        )
    raise DataError(
        f"{path}, tracklet {row + 1}: frames {first[row]} to {last[row]}, counted from 0, do not follow "
        "those before without a gap, whether the last frame is part of a tracklet or not; the file is "
        "damaged or of another format."
    )


def read_query(path: Path, tracklets: int) -> NDArray[np.int64]:
    """Read the rows of the test table that ask.

    Args:
        path: Of ``query_IDX.txt``.
        tracklets: Rows of the table.

    Returns:
        ``(q,)`` int64, counted from 0.

    Raises:
        DataError: If a row is out of range or comes twice.
    """
    query = _read_numbers(path, None)[:, 0]
    wrong = (query < 0) | (query >= tracklets)
    if wrong.any():
        raise DataError(
            f"{path} names row {query[wrong][0]}, but {TEST_TRACKS} has the rows 0..{tracklets - 1}: the "
            "files do not belong together, or this one counts from 1."
        )
    if len(np.unique(query)) != len(query):
        raise DataError(f"{path} names a tracklet twice: take a whole copy of the file.")
    return query


def _read_numbers(path: Path, columns: int | None) -> NDArray[np.int64]:
    """Read whole numbers: a table, or with ``columns=None`` one column however its lines are broken."""
    rows: list[list[int]] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        fields = line.split()
        if not fields:
            continue
        if columns is not None and len(fields) != columns:
            raise DataError(
                f"{path}, line {number} has {len(fields)} numbers instead of {columns} ({_COLUMNS}): the "
                "file is damaged or of another format."
            )
        values = [_whole_number(field, f"{path}, line {number}") for field in fields]
        rows += [values] if columns is not None else [[value] for value in values]
    if not rows:
        raise DataError(f"{path} is empty: take a whole copy of the file.")
    return np.array(rows, dtype=np.int64)


def _whole_number(field: bytes, where: str) -> int:
    try:
        value = float(field)
    except ValueError:
        value = np.nan
    if not abs(value) <= _LARGEST or value != int(value):
        raise DataError(
            f"{where}: {field.decode(errors='replace')!r} is no whole number: the file is damaged or of "
            "another format."
        )
    return int(value)
