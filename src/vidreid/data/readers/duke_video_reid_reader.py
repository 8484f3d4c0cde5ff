"""Reader of DukeMTMC-VideoReID, a folder for each tracklet.

Its authors withdrew the set in 2019: this is for copies that somebody may lawfully hold, and nothing here
fetches it. Source: Wu et al., CVPR 2018, and the layout that loaders of it expect.
"""

import os
import re
from pathlib import Path

import numpy as np

from vidreid.data.benchmark import Benchmark
from vidreid.data.readers.found_folders import find_folder, subfolders
from vidreid.data.readers.separate_lists import SeparateLists, Tracklet, separate_protocol
from vidreid.errors import DataError, MissingDataError, reads_files

FOLDER = "DukeMTMC-VideoReID"
TRAIN_FOLDER = "train"
QUERY_FOLDER = "query"
GALLERY_FOLDER = "gallery"

DUKE_VIDEO_REID = SeparateLists(
    name="duke_video_reid",
    title="DukeMTMC-VideoReID",
    protocols=separate_protocol("Queries and gallery are separate folders (queries 702, gallery 2,636)."),
    counts={
        "train tracklets": 2196,
        "train identities": 702,
        "queries": 702,
        "query identities": 702,
        "gallery tracklets": 2636,
        "cameras": 8,
    },
)
"""What its reader expects."""

_FRAME = re.compile(r"(\d{1,9})(_?)C(\d{1,9})\2F(\d+)\2X(\d+)")
_IMAGES = (".jpg", ".jpeg", ".png")


@reads_files
def read_duke_video_reid(root: str | Path, *, strict: bool = False) -> Benchmark:
    """Read the folders of DukeMTMC-VideoReID; images are not touched, but every frame's name is.

    A tracklet's frames are sorted by the number of the frame in its video, then by that of the crop; they may
    begin anywhere. The test frames are those of the queries, then those of the gallery.

    Args:
        root: The folder that holds ``DukeMTMC-VideoReID``, or that folder.
        strict: Raise if the counts differ from the published ones instead of saying so in ``notices``.

    Raises:
        MissingDataError: If folders or frames are missing.
        DataError: If the names of a tracklet contradict each other or its folder; under ``strict`` if the
            counts differ.
    """
    root = Path(root)
    folder = find_folder(root, FOLDER, TRAIN_FOLDER, DUKE_VIDEO_REID.title)
    missing = [name for name in (QUERY_FOLDER, GALLERY_FOLDER) if not (folder / name).is_dir()]
    if missing:
        raise MissingDataError(
            f"{folder} has no folder {' and no folder '.join(missing)}: copy the whole data set there."
        )
    train = _tracklets(folder / TRAIN_FOLDER, "")
    query = _tracklets(folder / QUERY_FOLDER, f"{QUERY_FOLDER}/")
    gallery = _tracklets(folder / GALLERY_FOLDER, f"{GALLERY_FOLDER}/")
    return DUKE_VIDEO_REID.benchmark(
        root,
        (folder / TRAIN_FOLDER, train),
        (folder, [*query, *gallery]),
        np.arange(len(query) + len(gallery)) < len(query),
        strict,
    )


def _tracklets(split: Path, below: str) -> list[Tracklet]:
    """Return the tracklets of a split, sorted by identity and number; ``below`` goes before their paths."""
    found: list[Tracklet] = []
    for identity in subfolders(split):
        if not re.fullmatch(r"\d{1,9}", identity):
            raise DataError(
                f"{split / identity} is not named by the number of an identity, such as 0001: move it away."
            )
        for number in subfolders(split / identity):
            found.append(_tracklet(split / identity / number, int(identity), f"{below}{identity}/{number}"))
    if not found:
        raise MissingDataError(f"{split} holds no tracklet such as 0001/0001: copy the whole data set there.")
    return found


def _tracklet(folder: Path, pid: int, below: str) -> Tracklet:
    frames: dict[tuple[int, int], str] = {}
    first, camera = "", -1
    for name in sorted(entry.name for entry in os.scandir(folder)):
        stem, dot, ending = name.rpartition(".")
        if name.startswith(".") or f"{dot}{ending}".lower() not in _IMAGES:
            continue
        match = _FRAME.fullmatch(stem)
        if match is None:
            raise DataError(
                f"{folder / name} is not named like a frame, such as 0001C6F0099X30823.jpg or "
                "0001_C6_F0099_X30823.jpg: rename it, or move it away."
            )
        if int(match[1]) != pid:
            raise DataError(
                f"{folder / name} is named after another identity than {pid}: move it to its own folder."
            )
        if not frames:
            first, camera = name, int(match[3])
        elif int(match[3]) != camera:
            raise DataError(
                f"{folder} holds frames of two cameras, {first} and {name}, but a tracklet is of one: "
                "copy it anew."
            )
        place = int(match[4]), int(match[5])
        if frames.setdefault(place, name) != name:
            raise DataError(
                f"{folder} holds one frame twice, {frames[place]} and {name}: move one of them away."
            )
    if not frames:
        raise MissingDataError(f"{folder} holds no frame such as 0001C6F0099X30823.jpg: copy it anew.")
    paths = [os.fsencode(f"{below}/{frames[place]}") for place in sorted(frames)]
    return Tracklet(pid, camera, np.array(paths, dtype=np.bytes_))
