"""Benchmarks whose queries are tracklets of their own, apart from the gallery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.benchmark import Benchmark
from vidreid.data.protocols import Protocol
from vidreid.data.readers.notices import say_differing, say_shared
from vidreid.data.tracklets import FrameList, column, tracklet_table


class Tracklet(NamedTuple):
    """A tracklet as it was found.

    Attributes:
        pid: The identity.
        camera: The camera.
        paths: ``(frames,)`` byte strings, paths of its frames in order.
    """

    pid: int
    camera: int
    paths: NDArray[np.bytes_]


@dataclass(frozen=True)
class SeparateLists:
    """A data set of this kind.

    Attributes:
        name: What results call it.
        title: What messages call it.
        protocols: Its protocols.
        counts: Its published counts.
    """

    name: str
    title: str
    protocols: Mapping[str, Protocol]
    counts: Mapping[str, int]

    def benchmark(
        self,
        root: Path,
        train: tuple[Path, Sequence[Tracklet]],
        test: tuple[Path, Sequence[Tracklet]],
        is_query: NDArray[np.bool_],
        strict: bool,
    ) -> Benchmark:
        """Make the tables and compare them with what is published.

        Args:
            root: Where the data set lies.
            train: The folder that the paths of the training tracklets begin in, and these tracklets.
            test: The same for test.
            is_query: ``(n,)`` over the test tracklets.
            strict: Raise if there is anything to say about the tables.

        Raises:
            DataError: Under ``strict``, if the counts differ or training and test share people.
        """
        notices: list[str] = []
        train_table, test_table = _table(train[1]), _table(test[1])
        test_table["is_query"] = is_query
        say_shared(train_table, test_table, strict, notices)
        say_differing(separate_counts(train_table, test_table), self.counts, self.title, strict, notices)
        return Benchmark(
            self.name,
            root,
            train_table,
            test_table,
            _frames(*train),
            _frames(*test),
            protocols=dict(self.protocols),
            notices=notices,
        )


def separate_protocol(summary: str) -> dict[str, Protocol]:
    """Return the one protocol of such a set, ``official``: the gallery holds no queries.

    Args:
        summary: One sentence, with the gallery's size.
    """
    protocol = Protocol("official", summary, queries_in_gallery=False, distractors=True, junk="ignored")
    return {protocol.name: protocol}


def _table(tracklets: Sequence[Tracklet]) -> pd.DataFrame:
    stops = np.cumsum([len(tracklet.paths) for tracklet in tracklets])
    return tracklet_table(
        np.array([tracklet.pid for tracklet in tracklets]),
        np.array([tracklet.camera for tracklet in tracklets]),
        np.concatenate([[0], stops[:-1]]),
        stops,
    )


def _frames(folder: Path, tracklets: Sequence[Tracklet]) -> FrameList:
    return FrameList(folder, np.concatenate([tracklet.paths for tracklet in tracklets]), prefix=0)


def separate_counts(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, int]:
    """Count what is published of sets whose gallery holds no queries.

    Args:
        train: The training table.
        test: The test table.
    """
    pid, is_query = column(test, "pid"), test["is_query"].to_numpy(dtype=bool)
    return {
        "train tracklets": len(train),
        "train identities": len(np.unique(column(train, "pid"))),
        "queries": int(is_query.sum()),
        "query identities": len(np.unique(pid[is_query])),
        "gallery tracklets": int((~is_query).sum()),
        "gallery identities": len(np.unique(pid[~is_query])),
        "cameras": len(np.union1d(column(train, "camera"), column(test, "camera"))),
    }
