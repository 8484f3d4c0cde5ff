"""The frames of a split of X-MARS, whose people lie in two folders of images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidreid.data.mars_format import folder_of
from vidreid.data.readers.mars_checks import check_names, check_ranges, check_rows
from vidreid.data.readers.mars_names import names_of_identity, shown
from vidreid.data.tracklets import FrameList
from vidreid.errors import DataError, MissingDataError

_STEM = 11
"""Characters of a frame's name up to the number of its tracklet."""


class SplitFrames(NamedTuple):
    """The frames of a split, and its tracklets as they point into them.

    Attributes:
        rows: ``(n, 4)``: first and last frame (1-based, inclusive), identity, camera.
        frames: Paths relative to the root.
    """

    rows: NDArray[np.int64]
    frames: FrameList


def read_split_frames(
    split: str,
    rows: NDArray[np.int64],
    names: NDArray[np.bytes_] | None,
    root: Path,
    places: Sequence[Path],
    prefix: str,
    notices: list[str],
) -> SplitFrames:
    """Find the frames of a split.

    Args:
        split: ``train`` or ``test``, for messages.
        rows: ``(n, 4)`` as the metadata give them.
        names: The name list, if there is one.
        root: Where the data set lies.
        places: Folders of images, in the order in which people are looked for.
        prefix: What the names of the metadata begin with beside MARS's own, for messages.
        notices: Gets what is to be said.

    Raises:
        MissingDataError: If somebody has no folder.
        DataError: If rows, names and folders contradict each other.
    """
    check_ranges(split, rows, prefix)
    frames = int(rows[:, 1].max())
    pids = np.unique(rows[:, 2]).tolist()
    if names is not None and len(names) == frames:
        check_rows(split, rows, prefix)
        if any(place.is_dir() for place in places):
            folders = _folders(pids, places)
        else:
            folders = {pid: places[0] / folder_of(pid) for pid in pids}
            notices.append(f"There is no folder {places[0]}: tables can be read, but no image.")
    else:
        if names is not None:
            notices.append(
                f"{prefix}{split}_name.txt has {len(names):,} lines instead of {frames:,} and is not used."
            )
        folders = _folders(pids, places)
        names = _names_in_folders(split, rows, folders, prefix)
        stops = np.cumsum(rows[:, 1] - rows[:, 0] + 1)
        rows = np.column_stack([np.concatenate([[0], stops[:-1]]) + 1, stops, rows[:, 2:]])
    check_names(split, rows, names, prefix)
    _check_tracklets(split, rows, names, prefix)
    below = [f"{folders[pid].relative_to(root).as_posix()}/".encode() for pid in rows[:, 2].tolist()]
    paths = np.strings.add(np.repeat(np.array(below, np.bytes_), rows[:, 1] - rows[:, 0] + 1), names)
    return SplitFrames(rows, FrameList(root, paths, prefix=0))


def _folders(pids: Sequence[int], places: Sequence[Path]) -> dict[int, Path]:
    """Return the folder of each identity: the first that is there."""
    there = [(place, {entry.name for entry in place.iterdir()}) for place in places if place.is_dir()]
    found: dict[int, Path] = {}
    for pid in pids:
        name = folder_of(pid)
        place = next((place for place, names in there if name in names), None)
        if place is None:
            raise MissingDataError(
                f"There is no folder {name} for identity {pid} in {places[0]} or {places[1]}: unpack the "
                "images of MARS there."
            )
        found[pid] = place / name
    return found


def _names_in_folders(
    split: str, rows: NDArray[np.int64], folders: Mapping[int, Path], prefix: str
) -> NDArray[np.bytes_]:
    """Return the names of the frames of all rows: those of an identity follow on each other in its folder."""
    lengths = rows[:, 1] - rows[:, 0] + 1
    names = {pid: names_of_identity(folder) for pid, folder in folders.items()}
    used = dict.fromkeys(folders, 0)
    ordered: list[str] = []
    for pid, length in zip(rows[:, 2].tolist(), lengths.tolist(), strict=True):
        ordered += names[pid][used[pid] : used[pid] + length]
        used[pid] += length
    for pid, folder in folders.items():
        if len(names[pid]) != used[pid]:
            raise DataError(
                f"{folder} holds {len(names[pid]):,} frames, but the tracklets of identity {pid} in "
                f"{prefix}tracks_{split}_info.mat have {used[pid]:,}: unpack the images of MARS anew."
            )
    return np.array(ordered, dtype=np.bytes_)


def _check_tracklets(split: str, rows: NDArray[np.int64], names: NDArray[np.bytes_], prefix: str) -> None:
    """Refuse rows that cut the tracklets of MARS in another way than its names do."""
    stems = names.astype(f"S{_STEM}")
    wrong = stems != np.repeat(stems[rows[:, 0] - 1], rows[:, 1] - rows[:, 0] + 1)
    if wrong.any():
        frame = int(np.argmax(wrong))
        row = int(np.searchsorted(rows[:, 1], frame + 1))
        raise DataError(
            f"Tracklet {row + 1} of {prefix}tracks_{split}_info.mat begins with "
            f"{shown(names[rows[row, 0] - 1])} but goes on with {shown(names[frame])} of "
            "another tracklet: its lengths do not belong to these images."
        )
