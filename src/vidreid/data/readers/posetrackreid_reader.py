"""Reader of PoseTrackReID, the people of PoseTrack18's videos, whose keypoints are annotated by hand.

Source: Chen et al., AAAI 2022 (KMPNet), and the layout that its released loader expects.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vidreid.data.benchmark import Benchmark
from vidreid.data.protocols import Protocol
from vidreid.data.readers.notices import say, say_differing, say_shared
from vidreid.data.readers.numbering import numbers
from vidreid.data.readers.posetrackreid_lists import (
    GALLERY_LIST,
    QUERY_LIST,
    TEST_FOLDER,
    TRAIN_FOLDER,
    TRAIN_LIST,
    ListedTracklet,
    image_path,
    read_list,
)
from vidreid.data.readers.separate_lists import separate_counts
from vidreid.data.tracklets import FrameList, tracklet_table
from vidreid.errors import DataError, MissingDataError, reads_files

POSETRACKREID_COUNTS: dict[str, int] = {
    "train tracklets": 7725,
    "train identities": 5350,
    "queries": 847,
    "query identities": 830,
    "gallery tracklets": 1965,
    "gallery identities": 1696,
}
"""Counts of PoseTrackReID as published."""

POSETRACKREID_PROTOCOLS: dict[str, Protocol] = {
    "official": Protocol(
        "official",
        "Queries and gallery are separate lists (queries 847, gallery 1,965), and the video stands for the "
        "camera; as in KMPNet.",
        queries_in_gallery=False,
        distractors=True,
        junk="ignored",
    )
}
"""There is one way to evaluate it."""


@reads_files
def read_posetrackreid(root: str | Path, *, strict: bool = False) -> Benchmark:
    """Read the lists of PoseTrackReID; images are not touched, but the identities' folders must be there.

    The video is the camera. Videos and identities that are not all numbers are numbered in sorted order over
    the three lists. The test frames are those of the queries, then those of the gallery: a tracklet of both
    lists has rows of its own in each.

    Args:
        root: The folder that holds ``train``, ``val``, ``train_keypoints``, ``val_keypoints`` and the lists.
        strict: Raise if the counts differ from the published ones, instead of saying so in ``notices``.

    Raises:
        MissingDataError: If lists or folders are missing.
        DataError: If a list is of another form or contradicts itself or the others; under ``strict`` if the
            counts differ.
    """
    root = Path(root)
    _check_root(root)
    train, query, gallery = (read_list(root / name) for name in (TRAIN_LIST, QUERY_LIST, GALLERY_LIST))
    test = [*query, *gallery]
    pids = numbers([tracklet.identity for tracklet in (*train, *test)])
    videos = numbers([tracklet.video for tracklet in (*train, *test)])
    notices: list[str] = []
    train_frames = _frames(root / TRAIN_FOLDER, train, strict, notices)
    test_frames = _frames(root / TEST_FOLDER, test, strict, notices)
    train_table, test_table = _table(train, pids, videos), _table(test, pids, videos)
    test_table["is_query"] = np.arange(len(test)) < len(query)

    say_shared(train_table, test_table, strict, notices)
    say_differing(
        separate_counts(train_table, test_table), POSETRACKREID_COUNTS, "PoseTrackReID", strict, notices
    )
    return Benchmark(
        "posetrackreid",
        root,
        train_table,
        test_table,
        train_frames,
        test_frames,
        protocols=dict(POSETRACKREID_PROTOCOLS),
        notices=notices,
    )


def _check_root(root: Path) -> None:
    if not root.is_dir():
        raise MissingDataError(
            f"There is no folder {root}: set data.root to the folder that holds {TRAIN_FOLDER}, "
            f"{TEST_FOLDER} and {TRAIN_LIST}."
        )
    lists = [name for name in (TRAIN_LIST, QUERY_LIST, GALLERY_LIST) if not (root / name).is_file()]
    if lists:
        inside = [child for child in sorted(root.iterdir()) if (child / TRAIN_LIST).is_file()]
        hint = f"did you mean {inside[0]}?" if inside else "take the lists of the data set."
        raise MissingDataError(f"{root} lacks {', '.join(lists)}: {hint}")
    folders = [name for name in (TRAIN_FOLDER, TEST_FOLDER) if not (root / name).is_dir()]
    if folders:
        raise MissingDataError(
            f"{root} has no folder {' and no folder '.join(folders)}: unpack the images there."
        )


def _table(
    tracklets: Sequence[ListedTracklet], pids: Mapping[str, int], videos: Mapping[str, int]
) -> pd.DataFrame:
    stops = np.cumsum([len(tracklet.names) for tracklet in tracklets])
    return tracklet_table(
        np.array([pids[tracklet.identity] for tracklet in tracklets]),
        np.array([videos[tracklet.video] for tracklet in tracklets]),
        np.concatenate([[0], stops[:-1]]),
        stops,
    )


def _frames(folder: Path, tracklets: Sequence[ListedTracklet], strict: bool, notices: list[str]) -> FrameList:
    """Return the frames, tracklet after tracklet."""
    folders = {entry.name for entry in os.scandir(folder) if entry.is_dir()}
    # Identity 12 may lie in 000012.
    by_number = {name.lstrip("0"): name for name in sorted(folders) if name.isdecimal()}
    repeated = 0
    owners: dict[str, ListedTracklet] = {}
    paths: list[str] = []
    for tracklet in tracklets:
        identity = tracklet.identity
        own = identity
        if own not in folders and own.isdecimal():
            own = by_number.get(own.lstrip("0"), own)
        for name in tracklet.names:
            path = image_path(tracklet, name, folder.name, own)
            if path.partition("/")[0] not in folders:
                raise MissingDataError(
                    f"{tracklet.where}: there is no folder {folder / path.partition('/')[0]} for {name!r}: "
                    "unpack the images anew."
                )
            first = owners.setdefault(path, tracklet)
            _check_owner(first, tracklet, path)
            repeated += first is not tracklet and first.list_name == tracklet.list_name
            paths.append(path)
    if repeated:
        say(f"{repeated} frames of {folder} are in two tracklets of one list.", strict, notices)
    return FrameList(folder, np.array([path.encode() for path in paths], dtype=np.bytes_), prefix=0)


def _check_owner(first: ListedTracklet, tracklet: ListedTracklet, path: str) -> None:
    """Refuse a picture of two people or videos; a tracklet may be in both test lists."""
    if (first.identity, first.video) != (tracklet.identity, tracklet.video):
        raise DataError(
            f"The frame {path} is of identity {first.identity} in video {first.video} ({first.where}) and of "
            f"identity {tracklet.identity} in video {tracklet.video} ({tracklet.where}): correct the lists."
        )
