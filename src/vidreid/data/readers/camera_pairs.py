"""Benchmarks of two cameras: everybody has one folder of frames for each (iLIDS-VID, PRID2011).

All tracklets lie in one folder, and each of the splits divides the same people. Hence there is one frame list
for training and test, the same for all splits, and one keypoint store.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vidreid.data.benchmark import Benchmark
from vidreid.data.protocols import GALLERY_ROLE, QUERY_ROLE, Protocol
from vidreid.data.readers.notices import say_differing
from vidreid.data.readers.numbered_frames import numbered_frames
from vidreid.data.readers.person_splits import PersonSplit, people
from vidreid.data.tracklets import FrameList, column, tracklet_table
from vidreid.errors import DataError, MissingDataError

CAMERA_PAIR_PROTOCOLS: dict[str, Protocol] = {
    "cross_camera": Protocol(
        "cross_camera",
        "The test people of camera 1 (a) ask, those of camera 2 (b) are searched: one right answer each "
        "(iLIDS-VID 150 and 150, PRID2011 89 and 89).",
        queries_in_gallery=False,
        distractors=True,
        junk="ignored",
    )
}
"""There is one way to evaluate them."""

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class CameraPair:
    """How a data set of two cameras names its files.

    Attributes:
        name: What results call it.
        title: What messages call it.
        cameras: Names of the two cameras' folders.
        frame: Pattern of a frame's whole name without its ending; ``{camera}`` and ``{person}`` stand for the
            folders it lies in, the group ``frame`` for its number.
        example: A frame's name, for messages.
        counts: The published counts.
    """

    name: str
    title: str
    cameras: tuple[str, str]
    frame: str
    example: str
    counts: Mapping[str, int]


def read_camera_pair(
    pair: CameraPair,
    root: Path,
    folder: Path,
    splits: Sequence[PersonSplit],
    split: PersonSplit,
    *,
    strict: bool = False,
    notices: Sequence[str] = (),
) -> Benchmark:
    """Read one split; images are not touched, but every frame's name is.

    The frames of camera 1 come first; in a camera the people of all splits are sorted, and their frames by
    number. The person's number is the identity, the camera 1 or 2.

    Args:
        pair: How the files are named.
        root: Where the benchmark lies.
        folder: The folder of the two cameras.
        splits: All splits: they say whose frames are listed.
        split: The one to read.
        strict: Raise if the counts differ from the published ones, instead of saying so in ``notices``.
        notices: What is to be said already.

    Raises:
        MissingDataError: If folders or frames are missing.
        DataError: If a name is odd; under ``strict`` if the counts differ.
    """
    check_cameras(pair, folder)
    told = list(notices)
    names = people(splits)
    pids = [_person_number(name) for name in names]
    if len(set(pids)) < len(pids):
        twice = next(name for name, pid in zip(names, pids, strict=True) if pids.count(pid) > 1)
        raise DataError(
            f"The splits name the number of {twice} in two ways: take {pair.title}'s own split file."
        )
    paths: list[bytes] = []
    lengths: list[int] = []
    for camera in pair.cameras:
        for name in names:
            frames = _frames(pair, folder, camera, name)
            paths += [f"{camera}/{name}/{frame}".encode() for frame in frames]
            lengths.append(len(frames))
    stops = np.cumsum(lengths)
    everybody = tracklet_table(
        np.array(pids * 2), np.repeat([1, 2], len(names)), np.concatenate([[0], stops[:-1]]), stops
    )
    frame_list = FrameList(folder, np.array(paths, dtype=np.bytes_), prefix=0)
    train, test = (_chosen(everybody, names, half) for half in split)
    test["is_query"] = column(test, "camera") == 1
    benchmark = Benchmark(
        pair.name, root, train, test, frame_list, frame_list, dict(CAMERA_PAIR_PROTOCOLS), told
    )
    say_differing(_counts(benchmark, len(splits)), pair.counts, pair.title, strict, told)
    return benchmark


def check_cameras(pair: CameraPair, folder: Path) -> None:
    """Refuse a folder without those of the two cameras.

    Raises:
        MissingDataError: With what is missing.
    """
    missing = [camera for camera in pair.cameras if not (folder / camera).is_dir()]
    if missing:
        raise MissingDataError(
            f"{folder} has no folder {' and no folder '.join(missing)}: unpack {pair.title} anew."
        )


def _frames(pair: CameraPair, folder: Path, camera: str, person: str) -> list[str]:
    own = folder / camera / person
    if not own.is_dir():
        raise MissingDataError(
            f"The splits name {person}, but there is no folder {own}: unpack {pair.title} anew, or take its "
            "own split file."
        )
    pattern = pair.frame.format(camera=re.escape(camera), person=re.escape(person))
    return numbered_frames(own, re.compile(pattern), pair.example)


def _person_number(name: str) -> int:
    match = _NUMBER.search(name)
    assert match is not None, name
    return int(match[0])


def _chosen(everybody: pd.DataFrame, names: Sequence[str], half: Sequence[str]) -> pd.DataFrame:
    """Return the tracklets of some people, numbered anew."""
    rows = np.isin(np.array(list(names) * 2), list(half))
    chosen = everybody.loc[rows].reset_index(drop=True)
    chosen["tracklet"] = np.arange(len(chosen), dtype=np.int64)
    return chosen


def _counts(benchmark: Benchmark, splits: int) -> dict[str, int]:
    roles = benchmark.protocols["cross_camera"].roles(benchmark.test)
    return {
        "splits": splits,
        "train tracklets": len(benchmark.train),
        "train identities": len(np.unique(column(benchmark.train, "pid"))),
        "queries": int((roles & QUERY_ROLE > 0).sum()),
        "gallery tracklets": int((roles & GALLERY_ROLE > 0).sum()),
    }
