"""From the lists of LS-VID to the frames of their tracklets."""

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidreid.data.readers.ls_vid_lists import ListedTracklet
from vidreid.data.readers.separate_lists import Tracklet
from vidreid.errors import DataError, MissingDataError

CAMERAS = 15
_EXAMPLE = "0001_0003_07_00012.jpg"
_IMAGES = ("jpg", "jpeg", "png")
_NUMBER = re.compile(r"\d+")


def find_frames(split: Path, listed: Sequence[ListedTracklet]) -> list[Tracklet]:
    """Find the frames of listed tracklets, reading each folder once.

    The parts of a frame's name between underscores must begin with those of the tracklet's prefix, so that
    ``0001_0003`` does not take ``0001_00031_…``. Frames are sorted by the numbers in the rest of their names.
    The third part is the camera.

    Args:
        split: Folder of the split.
        listed: The tracklets.

    Returns:
        The same tracklets in the same order, with paths below ``split``.

    Raises:
        MissingDataError: If a folder or all frames of a tracklet are missing.
        DataError: If a frame belongs to two tracklets, a folder to two identities, or names are odd.
    """
    by_folder: dict[str, list[int]] = defaultdict(list)
    for row, tracklet in enumerate(listed):
        by_folder[tracklet.folder].append(row)
    found: dict[int, Tracklet] = {}
    for folder, rows in sorted(by_folder.items()):
        _check_identity([listed[row] for row in rows])
        first = listed[rows[0]]
        if not (split / folder).is_dir():
            raise MissingDataError(
                f"{first.where}: there is no folder {split / folder}: unpack the images of LS-VID anew."
            )
        names = _names_by_prefix(split / folder, [listed[row] for row in rows])
        for row in rows:
            found[row] = _tracklet(split, listed[row], names[listed[row].prefix])
    return [found[row] for row in range(len(listed))]


def _check_identity(tracklets: Sequence[ListedTracklet]) -> None:
    other = next((tracklet for tracklet in tracklets if tracklet.pid != tracklets[0].pid), None)
    if other is not None:
        raise DataError(
            f"The folder {other.folder} is of identity {tracklets[0].pid} ({tracklets[0].where}) and of "
            f"identity {other.pid} ({other.where}): correct the list."
        )


def _names_by_prefix(folder: Path, tracklets: Sequence[ListedTracklet]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {tracklet.prefix: [] for tracklet in tracklets}
    lengths = sorted({prefix.count("_") + 1 for prefix in names})
    for entry in os.scandir(folder):
        name = entry.name
        stem, _, ending = name.rpartition(".")
        if ending.lower() not in _IMAGES or name.startswith("."):
            continue
        parts = stem.split("_")
        starts = ("_".join(parts[:length]) for length in lengths if length <= len(parts))
        owners = [start for start in starts if start in names]
        if len(owners) > 1:
            raise DataError(
                f"{folder / name} belongs to two tracklets of the list, {owners[0]} and {owners[1]}: "
                "correct it."
            )
        if owners:
            names[owners[0]].append(name)
    return names


def _tracklet(split: Path, listed: ListedTracklet, names: list[str]) -> Tracklet:
    if not names:
        raise MissingDataError(
            f"{listed.where}: {split / listed.folder} holds no frame whose name begins with "
            f"{listed.prefix}_: unpack the images of LS-VID anew."
        )
    names.sort(key=lambda name: (_numbers(name[len(listed.prefix) :]), name))
    cameras = {_third_part(name): name for name in reversed(names)}
    if len(cameras) > 1:
        one, other = list(cameras.values())[:2]
        raise DataError(
            f"{listed.where}: {split / listed.folder} holds frames of two cameras for {listed.prefix}, "
            f"{other} and {one}, but a tracklet is of one: correct the list."
        )
    ((text, name),) = cameras.items()
    camera = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
    if not 1 <= camera <= CAMERAS:
        raise DataError(
            f"{split / listed.folder / name}: the third part of the name should be a camera, 1..{CAMERAS}, "
            f"as in {_EXAMPLE}: unpack the images of LS-VID anew."
        )
    paths = [os.fsencode(f"{listed.folder}/{name}") for name in names]
    return Tracklet(listed.pid, camera, np.array(paths, dtype=np.bytes_))


def _third_part(name: str) -> str:
    parts = name.rpartition(".")[0].split("_", 3)
    return parts[2] if len(parts) > 2 else ""


def _numbers(rest: str) -> tuple[int, ...]:
    return tuple(int(run) for run in _NUMBER.findall(rest))
