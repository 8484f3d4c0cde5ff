"""Reader of MEVID, people in many outfits before the cameras of a large site.

Source: Davila et al., WACV 2023, and the files that its authors publish with the images.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.benchmark import Benchmark
from vidreid.data.mars_format import TEST_FOLDER, TEST_NAMES, TRAIN_FOLDER, TRAIN_NAMES
from vidreid.data.protocols import Protocol
from vidreid.data.readers.mevid_tables import (
    LISTS,
    QUERY,
    TEST_TRACKS,
    TRAIN_TRACKS,
    MevidSplit,
    read_query,
    read_split,
)
from vidreid.data.readers.notices import say_differing, say_shared
from vidreid.data.readers.outfit_protocols import outfit_protocols
from vidreid.data.tracklets import FrameList, column, tracklet_table
from vidreid.errors import MissingDataError, reads_files

LIST_FOLDERS = (".", "mevid-v1-annotation-data", "info")
"""Where the text files may lie below the root."""

MEVID_COUNTS: dict[str, int] = {
    "train tracklets": 6338,
    "train identities": 104,
    "test tracklets": 1754,
    "test identities": 54,
    "outfits": 598,
    "cameras": 33,
}
"""Counts of MEVID as published; the outfits are those of all identities."""

MEVID_PROTOCOLS: dict[str, Protocol] = outfit_protocols(
    Protocol(
        "official",
        "The queries leave the gallery (the other test tracklets of 1,754), and all outfits are answers.",
        queries_in_gallery=False,
        distractors=True,
        junk="ignored",
    )
)
"""The test table holds the queries too, as that of MARS. They are taken out of the gallery, because results
on MEVID are understood to be of query and gallery as two parts of the 1,754 test tracklets; only MARS's own
code leaves queries in."""


@reads_files
def read_mevid(root: str | Path, *, strict: bool = False) -> Benchmark:
    """Read the tables of MEVID; images are not touched.

    Args:
        root: The folder that holds ``bbox_train`` and ``bbox_test``, and the text files or a folder of them,
            ``mevid-v1-annotation-data`` or ``info``.
        strict: Raise if the counts differ from the published ones, instead of saying so in ``notices``.

    Raises:
        MissingDataError: If the root or text files are missing.
        DataError: If the files are of another form or contradict each other; under ``strict`` if the counts
            differ.
    """
    root = Path(root)
    lists = _find(root)
    train = read_split(lists, TRAIN_TRACKS, TRAIN_NAMES)
    test = read_split(lists, TEST_TRACKS, TEST_NAMES)
    is_query = np.zeros(len(test.rows), dtype=bool)
    is_query[read_query(lists / QUERY, len(test.rows))] = True
    train_table, test_table = _table(train), _table(test, is_query)
    notices: list[str] = []
    folders = root / TRAIN_FOLDER, root / TEST_FOLDER
    for folder in folders:
        if not folder.is_dir():
            notices.append(f"There is no folder {folder}: tables can be read, but no image.")
    say_shared(train_table, test_table, strict, notices)
    say_differing(_counts(train_table, test_table), MEVID_COUNTS, "MEVID", strict, notices)
    return Benchmark(
        "mevid",
        root,
        train_table,
        test_table,
        FrameList(folders[0], train.names),
        FrameList(folders[1], test.names),
        protocols=dict(MEVID_PROTOCOLS),
        notices=notices,
    )


def _find(root: Path) -> Path:
    """Return the folder of the text files."""
    if not root.is_dir():
        raise MissingDataError(
            f"There is no folder {root}: set data.root to the folder that holds {TRAIN_FOLDER}, "
            f"{TEST_FOLDER} and {TRAIN_TRACKS}."
        )

    def holding(above: Path) -> Path | None:
        return next((above / name for name in LIST_FOLDERS if (above / name / TRAIN_TRACKS).is_file()), None)

    found = holding(root)
    if found is None:
        inside = [child for child in sorted(root.iterdir()) if holding(child) is not None]
        hint = f"did you mean {inside[0]}?" if inside else "take the text files of the data set."
        raise MissingDataError(
            f"Neither {root} nor {' nor '.join(LIST_FOLDERS[1:])} in it holds {TRAIN_TRACKS}: {hint}"
        )
    missing = [name for name in LISTS if not (found / name).is_file()]
    if missing:
        raise MissingDataError(f"{found} lacks {', '.join(missing)}: take the text files of the data set.")
    return found


def _table(split: MevidSplit, is_query: NDArray[np.bool_] | None = None) -> pd.DataFrame:
    pids, outfits, cameras = split.rows[:, 2:].T
    starts = np.concatenate([[0], split.stops[:-1]])
    return tracklet_table(pids, cameras, starts, split.stops, is_query, outfits)


def _counts(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, int]:
    both = pd.concat([train, test])
    return {
        "train tracklets": len(train),
        "train identities": len(np.unique(column(train, "pid"))),
        "test tracklets": len(test),
        "test identities": len(np.unique(column(test, "pid"))),
        "outfits": len(both[["pid", "outfit"]].drop_duplicates()),
        "cameras": len(np.unique(column(both, "camera"))),
    }
