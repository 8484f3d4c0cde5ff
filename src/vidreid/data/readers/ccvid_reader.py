"""Reader of CCVID, walking people filmed again in other clothes.

Source: Gu et al., CVPR 2022, and the layout that the released loader expects.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vidreid.data.benchmark import Benchmark
from vidreid.data.protocols import Protocol
from vidreid.data.readers.ccvid_lists import (
    GALLERY_LIST,
    QUERY_LIST,
    TRAIN_LIST,
    ListedFolder,
    check_owners,
    read_list,
)
from vidreid.data.readers.notices import say, say_differing, say_shared
from vidreid.data.readers.numbered_frames import numbered_frames
from vidreid.data.readers.numbering import numbers
from vidreid.data.readers.outfit_protocols import outfit_protocols
from vidreid.data.tracklets import FrameList, column, tracklet_table
from vidreid.errors import MissingDataError, reads_files

FOLDER = "CCVID"
"""Folder of the lists, which may be the root itself."""

CCVID_COUNTS: dict[str, int] = {
    "tracklets": 2856,
    "train identities": 75,
    "test identities": 151,
    "queries": 834,
    "gallery tracklets": 1074,
}
"""Counts of CCVID as commonly given."""

CCVID_PROTOCOLS: dict[str, Protocol] = outfit_protocols(
    Protocol(
        "standard",
        "Queries and gallery are separate lists (queries 834, gallery 1,074), and all outfits are answers.",
        queries_in_gallery=False,
        distractors=True,
        junk="ignored",
    )
)
"""The three ways of its authors."""

_LISTS = (TRAIN_LIST, QUERY_LIST, GALLERY_LIST)
_FRAME = re.compile(r"(?:.*\D)?(?P<frame>\d+)", re.ASCII | re.DOTALL)


@reads_files
def read_ccvid(root: str | Path, *, strict: bool = False) -> Benchmark:
    """Read the lists of CCVID and the names of all frames; images are not touched.

    The camera is the number in the name of a tracklet's folder, and 12 more in ``session3``. An outfit is an
    identity with a label of clothes; outfits are numbered in sorted order over the three lists, and so are
    identities that are not all numbers. The test frames are those of the queries, then those of the gallery.

    Args:
        root: The folder that holds ``CCVID``, or ``CCVID`` itself with its three lists and sessions.
        strict: Raise if the counts differ from the published ones, instead of saying so in ``notices``.

    Raises:
        MissingDataError: If lists, folders or frames are missing.
        DataError: If a list is of another form or contradicts itself or the others; under ``strict`` if the
            counts differ.
    """
    root = Path(root)
    folder = _find(root)
    lists = [read_list(folder / name) for name in _LISTS]
    train, query, gallery = lists
    test = [*query, *gallery]
    notices: list[str] = []
    repeated = check_owners(lists)
    if repeated:
        say(f"{repeated} tracklets of {folder} are in two lists.", strict, notices)
    pids = numbers([own.identity for own in (*train, *test)])
    worn = sorted({(pids[own.identity], own.clothes) for own in (*train, *test)})
    outfits = {outfit: number for number, outfit in enumerate(worn)}
    train_table, train_frames = _split(folder, train, pids, outfits)
    test_table, test_frames = _split(folder, test, pids, outfits)
    test_table["is_query"] = np.arange(len(test)) < len(query)

    say_shared(train_table, test_table, strict, notices)
    counts = {
        "tracklets": len(train) + len(test),
        "train identities": len(np.unique(column(train_table, "pid"))),
        "test identities": len(np.unique(column(test_table, "pid"))),
        "queries": len(query),
        "gallery tracklets": len(gallery),
    }
    say_differing(counts, CCVID_COUNTS, "CCVID", strict, notices)
    return Benchmark(
        "ccvid",
        root,
        train_table,
        test_table,
        train_frames,
        test_frames,
        protocols=dict(CCVID_PROTOCOLS),
        notices=notices,
    )


def _find(root: Path) -> Path:
    """Return the folder of the lists."""
    if not root.is_dir():
        raise MissingDataError(
            f"There is no folder {root}: set data.root to the folder that holds {FOLDER}, or to {FOLDER}."
        )
    folder = root / FOLDER if (root / FOLDER).is_dir() else root
    missing = [name for name in _LISTS if not (folder / name).is_file()]
    if missing:
        inside = [
            child
            for child in sorted(root.iterdir())
            if child != folder and ((child / TRAIN_LIST).is_file() or (child / FOLDER / TRAIN_LIST).is_file())
        ]
        hint = f"did you mean {inside[0]}?" if inside else "take the lists of the data set."
        raise MissingDataError(f"{folder} lacks {', '.join(missing)}: {hint}")
    return folder


def _split(
    folder: Path,
    listed: Sequence[ListedFolder],
    pids: Mapping[str, int],
    outfits: Mapping[tuple[int, str], int],
) -> tuple[pd.DataFrame, FrameList]:
    """Return table and frames of a split, tracklet after tracklet."""
    paths: list[bytes] = []
    stops: list[int] = []
    for own in listed:
        at = folder / own.folder
        if not os.path.isdir(at):  # noqa: PTH112 - a Path raises where a name is too long
            raise MissingDataError(f"{own.where}: there is no folder {at}: unpack the images anew.")
        paths += [os.fsencode(f"{own.folder}/{name}") for name in numbered_frames(at, _FRAME, "00001.jpg")]
        stops.append(len(paths))
    table = tracklet_table(
        np.array([pids[own.identity] for own in listed]),
        np.array([own.camera for own in listed]),
        np.array([0, *stops[:-1]]),
        np.array(stops),
        outfits=np.array([outfits[pids[own.identity], own.clothes] for own in listed]),
    )
    return table, FrameList(folder, np.array(paths, dtype=np.bytes_), prefix=0)
