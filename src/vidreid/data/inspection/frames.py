"""One pass over the frames of a benchmark, by several processes."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.data.frames import FrameSource
from vidreid.data.inspection.frame_record import RECORD, record_of
from vidreid.data.inspection.frame_uses import FrameUses

_CHUNK = 256

Job = tuple[int, NDArray[np.int64]]
"""Number of a frame list and rows of it."""

_lists_in_worker: list[FrameSource] = []


def look_at_frames(
    uses: FrameUses, workers: int = 0, advance: Callable[[int], None] = lambda count: None
) -> NDArray[np.void]:
    """Read the frames once.

    Args:
        uses: Which.
        workers: Processes; with fewer than two this one reads.
        advance: Told how many further frames have been looked at.

    Returns:
        ``RECORD`` of every number of a frame; those that were not looked at have the state 0.
    """
    counts = [len(frames) for frames in uses.lists]
    records = np.zeros(sum(counts), RECORD)
    jobs: list[Job] = []
    targets: list[NDArray[np.int64]] = []
    start = 0
    for number, count in enumerate(counts):
        own = uses.looked_at[(uses.looked_at >= start) & (uses.looked_at < start + count)]
        for first in range(0, len(own), _CHUNK):
            targets.append(own[first : first + _CHUNK])
            jobs.append((number, targets[-1] - start))
        start += count
    for target, found in zip(targets, _results(uses.lists, jobs, workers), strict=True):
        records[target] = found
        advance(len(target))
    return records


def _start_worker(lists: Sequence[FrameSource]) -> None:
    # OpenCV's own threads would only fight with the other workers.
    cv2.setNumThreads(1)
    _lists_in_worker[:] = lists


def _work(job: Job) -> NDArray[np.void]:
    number, rows = job
    return _records(_lists_in_worker[number], rows)


def _records(frames: FrameSource, rows: NDArray[np.int64]) -> NDArray[np.void]:
    found = np.zeros(len(rows), RECORD)
    for place, row in enumerate(rows.tolist()):
        found[place] = record_of(frames, row)
    return found


def _results(lists: Sequence[FrameSource], jobs: Sequence[Job], workers: int) -> Iterator[NDArray[np.void]]:
    if workers < 2 or len(jobs) < 2:
        yield from (_records(lists[number], rows) for number, rows in jobs)
        return
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(lists,))
    try:
        # Ctrl-C is this process's business: workers inherit the blocked signal, also while they start.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            results = executor.map(_work, jobs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield from results
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
