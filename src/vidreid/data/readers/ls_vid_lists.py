"""The lists of LS-VID: which files are a tracklet, and which tracklets ask."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidreid.data.readers.mat_files import read_hdf5_matrix
from vidreid.errors import DataError

_DIGITS = 9
"""Longer numbers are no identities."""


class ListedTracklet(NamedTuple):
    """A line of a list.

    Attributes:
        folder: Folder of the identity, below that of the split.
        prefix: What the names of its frames begin with, without an underscore at its end.
        pid: The identity.
        where: File and line, for messages.
    """

    folder: str
    prefix: str
    pid: int
    where: str


def read_sequence_list(path: Path, split: str) -> list[ListedTracklet]:
    """Read a list of tracklets, ``<path prefix> <identity>`` a line.

    The prefix is a path through the folder of the split, whatever stands before it, or below it:
    ``tracklet_train/0001/0001_0003`` or ``0001/0001_0003``.

    Args:
        path: The list.
        split: Name of the split's folder.

    Raises:
        DataError: If a line is of another form, or two are the same tracklet.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not readable as text ({error}): replace it by a whole copy.") from error
    listed = [
        _line(line, split, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()
    ]
    if not listed:
        raise DataError(f"{path} names no tracklet: replace it by a whole copy.")
    seen: dict[tuple[str, str], str] = {}
    for tracklet in listed:
        first = seen.setdefault((tracklet.folder, tracklet.prefix), tracklet.where)
        if first != tracklet.where:
            raise DataError(
                f"{tracklet.where} names the tracklet of {first} again: take a whole copy of the list."
            )
    return listed


def read_query_rows(path: Path, tracklets: int) -> NDArray[np.int64]:
    """Read which test tracklets ask.

    Args:
        path: ``info_test.mat``, whose variable ``query`` holds 1-based rows of the test list, as integers or
            as MATLAB's usual floating-point numbers; where it is a matrix in HDF5, its first row counts.
        tracklets: Length of the test list.

    Returns:
        ``(q,)`` 0-based rows.

    Raises:
        DataError: If the file is of another form or does not fit the list.
    """
    matrix = read_hdf5_matrix(path, "query", "the test metadata of LS-VID")
    if matrix.ndim not in (1, 2) or not matrix.size or matrix.dtype.kind not in "uif":
        raise DataError(
            f"{path}: query has shape {matrix.shape} and type {matrix.dtype} instead of one row of numbers: "
            "take the file of the data set."
        )
    numbers = matrix.astype(np.float64)  # exact for any row
    row = numbers.reshape(-1) if 1 in numbers.shape else np.atleast_2d(numbers)[0]
    wrong = ~((row >= 1) & (row <= tracklets) & (row == np.floor(row)))
    if wrong.any():
        raise DataError(
            f"{path}: {row[int(np.argmax(wrong))]:g} in query is no line of the test list, 1..{tracklets}: "
            "the two files do not belong together."
        )
    query = row.astype(np.int64) - 1
    if len(np.unique(query)) != len(query):
        raise DataError(f"{path}: query names a tracklet twice: take a whole copy of the file.")
    return query


def _line(line: str, split: str, where: str) -> ListedTracklet:
    path, _, identity = line.strip().replace("\t", " ").rpartition(" ")
    if not (path and identity.isascii() and identity.isdecimal() and len(identity) <= _DIGITS):
        raise DataError(f"{where} is {line!r} instead of a path and the number of an identity: correct it.")
    parts = [part for part in path.strip().replace("\\", "/").split("/") if part not in ("", ".")]
    if split in parts:
        parts = parts[parts.index(split) + 1 :]
    # Of an identity's folder and the beginning of file names.
    if len(parts) != 2 or ".." in parts or not parts[1].strip("_"):
        raise DataError(f"{where}: {path.strip()!r} is no path such as {split}/0001/0001_0003: correct it.")
    return ListedTracklet(parts[0], parts[1].rstrip("_"), int(identity), where)
