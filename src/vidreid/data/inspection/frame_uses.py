"""Which tracklets of which split use which frame: benchmarks may share one frame list between splits."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.benchmark import Benchmark
from vidreid.data.tracklets import FrameList, column

RUN = 8
"""Consecutive frames that a sample takes together, so that motion can be judged in it."""


class SplitUses(NamedTuple):
    """The frames of a split's tracklets, tracklet after tracklet; a frame of two tracklets comes twice.

    Attributes:
        frames: ``(m,)`` numbers of frames (see ``FrameUses``).
        rows: ``(m,)`` rows of the split's frame list.
        tracklets: ``(m,)`` rows of the tracklet table.
        pids: ``(m,)`` identities.
    """

    frames: NDArray[np.int64]
    rows: NDArray[np.int64]
    tracklets: NDArray[np.int64]
    pids: NDArray[np.int64]

    def where(self, mask: NDArray[np.bool_]) -> "SplitUses":
        """Return some of the uses."""
        return SplitUses(*(part[mask] for part in self))


@dataclass(frozen=True)
class FrameUses:
    """The frames of a benchmark, each once, and who uses them.

    Frames are numbered through over the lists: those of the training list, then those of the test list unless
    both splits share one.

    Attributes:
        lists: One or two frame lists.
        train: Uses by the training tracklets.
        test: Uses by the test tracklets.
        looked_at: ``(n,)`` numbers of the frames that are looked at, ascending.
        total: How many frames tracklets use.
    """

    lists: list[FrameList]
    train: SplitUses
    test: SplitUses
    looked_at: NDArray[np.int64]
    total: int
    _starts: NDArray[np.int64] = field(repr=False)

    def path(self, frame: int) -> str:
        """Return the path of a frame below its root."""
        frames, row = self.place(frame)
        return f"{frames.folder.name}/{frames.relative(row)}"

    def place(self, frame: int) -> tuple[FrameList, int]:
        """Return the list of a frame and its row there."""
        position = int(np.searchsorted(self._starts, frame, side="right")) - 1
        return self.lists[position], int(frame - self._starts[position])

    def paths(self, frames: NDArray[np.int64]) -> list[str]:
        """Return the paths of several frames."""
        return [self.path(int(frame)) for frame in frames]


def frame_uses(benchmark: Benchmark, limit: int | None = None) -> FrameUses:
    """Number the frames of a benchmark and note who uses them.

    Args:
        benchmark: The benchmark.
        limit: Look at about so many frames, in runs of 8 spread evenly, instead of all.

    Raises:
        ValueError: If ``limit`` is not positive.
    """
    if limit is not None and limit < 1:
        raise ValueError(
            f"limit={limit} leaves no frame to look at: give a positive number, or null for all."
        )
    shared = benchmark.train_frames is benchmark.test_frames
    lists = [benchmark.train_frames] if shared else [benchmark.train_frames, benchmark.test_frames]
    starts = np.concatenate([[0], np.cumsum([len(frames) for frames in lists])])[:-1].astype(np.int64)
    train, test = _uses(benchmark.train, 0), _uses(benchmark.test, int(starts[-1]))
    used = np.union1d(train.frames, test.frames)
    looked_at = used if limit is None or limit >= len(used) else used[_sample(len(used), limit)]
    return FrameUses(lists, train, test, looked_at, len(used), starts)


def _uses(table: pd.DataFrame, offset: int) -> SplitUses:
    starts, stops = column(table, "start"), column(table, "stop")
    lengths = stops - starts
    tracklets = np.repeat(np.arange(len(table)), lengths)
    before = np.cumsum(lengths) - lengths
    rows = np.arange(int(lengths.sum())) - before[tracklets] + starts[tracklets]
    return SplitUses(rows + offset, rows, tracklets, column(table, "pid")[tracklets])


def _sample(count: int, limit: int) -> NDArray[np.int64]:
    runs = max(1, round(limit / RUN))
    starts = np.linspace(0, max(0, count - RUN), runs).astype(np.int64)
    chosen = np.unique((starts[:, None] + np.arange(RUN)).ravel())
    return chosen[chosen < count]
