"""Reader of trees in MARS format: MARS itself, the procedural benchmark and other sets of that layout."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidreid.data.benchmark import Benchmark
from vidreid.data.mars_format import (
    INFO_FOLDER,
    TEST_FOLDER,
    TEST_NAMES,
    TRAIN_FOLDER,
    TRAIN_NAMES,
    read_info,
)
from vidreid.data.protocols import PROTOCOLS
from vidreid.data.readers.mars_benchmark import MarsFormat, check_root, inner_folder, mars_benchmark
from vidreid.data.readers.mars_checks import check_names, check_query, check_rows
from vidreid.data.readers.mars_counts import MARS_COUNTS
from vidreid.data.readers.mars_names import rebuild_names
from vidreid.data.readers.occlusion import occluded_tracklets
from vidreid.data.tracklets import FrameList
from vidreid.errors import DataError, MissingDataError, reads_files

SYNTHETIC_MARKER = "synthetic.json"
"""A tree with this file is procedural: its counts are not compared with MARS."""

MARS = MarsFormat(
    name="mars",
    title="MARS",
    source="the MARS evaluation package (its folder info/)",
    protocols=PROTOCOLS,
    counts=MARS_COUNTS,
)
"""MARS itself."""


@reads_files
def read_mars(root: str | Path, *, strict: bool = False) -> Benchmark:
    """Read MARS or a procedural tree; images are not touched.

    Args:
        root: The folder that holds ``bbox_train``, ``bbox_test`` and ``info``.
        strict: Raise if the counts differ from MARS instead of saying so in ``notices``; procedural trees
            are not compared.

    Raises:
        MissingDataError: If the root or files of ``info`` are missing.
        DataError: If the files contradict each other, or under ``strict`` the counts differ.
    """
    root = Path(root)
    if not (root / SYNTHETIC_MARKER).is_file():
        return read_mars_format(MARS, root, strict=strict)
    procedural = replace(MARS, name="synthetic", counts={})
    benchmark = read_mars_format(procedural, root, strict=strict)
    return replace(benchmark, subsets=occluded_tracklets(root, benchmark.test))


def read_mars_format(kind: MarsFormat, root: Path, *, strict: bool = False) -> Benchmark:
    """Read the tables of a tree in MARS format; images are not touched.

    Accepted: folders doubled by unzipping (``bbox_train/bbox_train``), either kind of line end, and missing
    or short name lists, which are rebuilt from the folders (said in ``notices``).

    Args:
        kind: The data set.
        root: The folder that holds ``bbox_train``, ``bbox_test`` and ``info``.
        strict: Raise if the counts differ from the published ones instead of saying so in ``notices``.

    Raises:
        MissingDataError: If the root or files of ``info`` are missing.
        DataError: If the files contradict each other, or under ``strict`` the counts differ.
    """
    check_root(root, kind.source)
    notices: list[str] = []
    info = read_info(inner_folder(root, INFO_FOLDER), kind.title, kind.source)
    check_rows("train", info.train_rows)
    check_rows("test", info.test_rows)
    check_query(info.query, info.test_rows)
    train_frames = _frames(root, TRAIN_FOLDER, "train", info.train_names, info.train_rows, notices)
    test_frames = _frames(root, TEST_FOLDER, "test", info.test_names, info.test_rows, notices)
    return mars_benchmark(kind, root, info, train_frames, test_frames, strict, notices)


def _frames(
    root: Path,
    folder_name: str,
    split: str,
    names: NDArray[np.bytes_] | None,
    rows: NDArray[np.int64],
    notices: list[str],
) -> FrameList:
    folder, expected = inner_folder(root, folder_name), int(rows[-1, 1])
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
