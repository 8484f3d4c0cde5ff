"""Reader of trees in MARS format: MARS itself, the procedural benchmark and other sets of that layout."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.benchmark import Benchmark
from vidreid.data.mars_checks import check_names, check_query, check_rows, compare_with_mars, mars_counts
from vidreid.data.mars_format import (
    INFO_FOLDER,
    TEST_FOLDER,
    TEST_NAMES,
    TRAIN_FOLDER,
    TRAIN_NAMES,
    read_info,
)
from vidreid.data.mars_names import rebuild_names
from vidreid.data.notices import say
from vidreid.data.occlusion import occluded_tracklets
from vidreid.data.tracklets import FrameList, tracklet_table
from vidreid.errors import DataError, MissingDataError

SYNTHETIC_MARKER = "synthetic.json"
"""A tree with this file is procedural: its counts are not compared with MARS."""


def read_mars(root: str | Path, *, strict: bool = False) -> Benchmark:
    """Read the tables of a tree in MARS format; images are not touched.

    Accepted: folders doubled by unzipping (``bbox_train/bbox_train``), either kind of line end, and missing
    or short name lists, which are rebuilt from the folders (said in ``notices``).

    Args:
        root: The folder that holds ``bbox_train``, ``bbox_test`` and ``info``.
        strict: Raise if the counts differ from MARS instead of saying so in ``notices``; procedural trees
            are not compared.

    Raises:
        MissingDataError: If the root or files of ``info`` are missing.
        DataError: If the files contradict each other, or under ``strict`` the counts differ.
    """
    root = Path(root)
    _check_root(root)
    notices: list[str] = []
    info = read_info(_inner(root, INFO_FOLDER))
    check_rows("train", info.train_rows)
    check_rows("test", info.test_rows)
    check_query(info.query, info.test_rows)
    train_frames = _frames(root, TRAIN_FOLDER, "train", info.train_names, info.train_rows, notices)
    test_frames = _frames(root, TEST_FOLDER, "test", info.test_names, info.test_rows, notices)
    is_query = np.zeros(len(info.test_rows), dtype=bool)
    is_query[info.query] = True
    train = _table(info.train_rows)
    test = _table(info.test_rows, is_query)

    shared = np.intersect1d(info.train_rows[:, 2], info.test_rows[:, 2])
    if len(shared):
        say(
            f"{len(shared)} identities occur in training and in test: results will be too good.",
            strict,
            notices,
        )
    procedural = (root / SYNTHETIC_MARKER).is_file()
    differing = None if procedural else compare_with_mars(mars_counts(train, test))
    if differing:
        say(differing, strict, notices)
    name = "synthetic" if procedural else "mars"
    subsets = occluded_tracklets(root, test) if procedural else {}
    return Benchmark(name, root, train, test, train_frames, test_frames, notices=notices, subsets=subsets)


def _check_root(root: Path) -> None:
    if not root.is_dir():
        raise MissingDataError(
            f"There is no folder {root}: set data.root to the folder that holds {TRAIN_FOLDER}, "
            f"{TEST_FOLDER} and {INFO_FOLDER}."
        )
    if not (root / INFO_FOLDER).is_dir():
        inside = [child for child in sorted(root.iterdir()) if (child / INFO_FOLDER).is_dir()]
        hint = f"did you mean {inside[0]}?" if inside else "copy it there from the MARS evaluation package."
        raise MissingDataError(f"{root} holds no folder {INFO_FOLDER}: {hint}")


def _inner(root: Path, folder: str) -> Path:
    """Return ``root/folder``, or the folder of the same name in it that unzipping may have made."""
    doubled = root / folder / folder
    return doubled if doubled.is_dir() else root / folder


def _frames(
    root: Path,
    folder_name: str,
    split: str,
    names: NDArray[np.bytes_] | None,
    rows: NDArray[np.int64],
    notices: list[str],
) -> FrameList:
    folder, expected = _inner(root, folder_name), int(rows[-1, 1])
    list_name = TRAIN_NAMES if split == "train" else TEST_NAMES
    if names is None or len(names) != expected:
        state = "is missing" if names is None else f"has {len(names):,} lines instead of {expected:,}"
        if not folder.is_dir():
            raise MissingDataError(
                f"info/{list_name} {state} and cannot be rebuilt, because there is no folder {folder}: "
                "unpack the images there."
            )
        names = rebuild_names(folder)
        if len(names) != expected:
            raise DataError(
                f"info/{list_name} {state}, and {folder} holds {len(names):,} frames instead of "
                f"{expected:,}: unpack the images anew, or take a whole name list."
            )
        notices.append(f"info/{list_name} {state}: rebuilt from the folders in {folder}.")
    elif not folder.is_dir():
        notices.append(f"There is no folder {folder}: only tables can be read, or packed images (data.pack).")
    check_names(split, rows, names)
    return FrameList(folder, names)


def _table(rows: NDArray[np.int64], is_query: NDArray[np.bool_] | None = None) -> pd.DataFrame:
    return tracklet_table(rows[:, 2], rows[:, 3], rows[:, 0] - 1, rows[:, 1], is_query)
