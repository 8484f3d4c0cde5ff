"""Data sets in the format of MARS: what differs between them, and the way from files to a benchmark."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.benchmark import Benchmark
from vidreid.data.mars_format import INFO_FOLDER, TEST_FOLDER, TRAIN_FOLDER, MarsInfo
from vidreid.data.protocols import Protocol
from vidreid.data.readers.mars_counts import mars_counts
from vidreid.data.readers.notices import say_differing, say_shared
from vidreid.data.tracklets import FrameList, tracklet_table
from vidreid.errors import MissingDataError


@dataclass(frozen=True)
class MarsFormat:
    """A data set in the format of MARS.

    Attributes:
        name: What results call it.
        title: What messages call it.
        source: Where its ``info`` folder is from, for messages.
        protocols: Its protocols.
        counts: Its published counts, some of those of ``mars_counts``; empty compares nothing.
    """

    name: str
    title: str
    source: str
    protocols: Mapping[str, Protocol]
    counts: Mapping[str, int]


def check_root(root: Path, source: str, info: str = INFO_FOLDER) -> None:
    """Refuse a root that is not there or holds no ``info`` folder.

    Args:
        root: The root of a tree.
        source: Where that folder is from.
        info: Its name.

    Raises:
        MissingDataError: With what is missing.
    """
    if not root.is_dir():
        raise MissingDataError(
            f"There is no folder {root}: set data.root to the folder that holds {TRAIN_FOLDER}, "
            f"{TEST_FOLDER} and {info}."
        )
    if not (root / info).is_dir():
        inside = [child for child in sorted(root.iterdir()) if (child / info).is_dir()]
        hint = f"did you mean {inside[0]}?" if inside else f"copy it there from {source}."
        raise MissingDataError(f"{root} holds no folder {info}: {hint}")


def inner_folder(root: Path, folder: str) -> Path:
    """Return ``root/folder``, or the folder of the same name in it that unzipping may have made."""
    doubled = root / folder / folder
    return doubled if doubled.is_dir() else root / folder


def mars_benchmark(
    kind: MarsFormat,
    root: Path,
    info: MarsInfo,
    train_frames: FrameList,
    test_frames: FrameList,
    strict: bool,
    notices: list[str],
) -> Benchmark:
    """Make the tables and compare them with what is known of the data set.

    Args:
        kind: The data set.
        root: Where it lies.
        info: Its metadata, checked; the first and last frames of its rows are those of the frame lists.
        train_frames: The frames of the training split.
        test_frames: The frames of the test split.
        strict: Raise if there is anything to say about the tables.
        notices: What is to be said already.

    Raises:
        DataError: Under ``strict``, if the counts differ or training and test share people.
    """
    is_query = np.zeros(len(info.test_rows), dtype=bool)
    is_query[info.query] = True
    train, test = _table(info.train_rows), _table(info.test_rows, is_query)
    say_shared(train, test, strict, notices)
    say_differing(mars_counts(train, test), kind.counts, kind.title, strict, notices)
    protocols = dict(kind.protocols)
    return Benchmark(kind.name, root, train, test, train_frames, test_frames, protocols, notices)


def _table(rows: NDArray[np.int64], is_query: NDArray[np.bool_] | None = None) -> pd.DataFrame:
    return tracklet_table(rows[:, 2], rows[:, 3], rows[:, 0] - 1, rows[:, 1], is_query)
