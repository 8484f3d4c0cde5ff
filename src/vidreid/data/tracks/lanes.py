"""The processes that go through videos."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event

import cv2

from vidreid.data.tracks.cutting import Part, cut_parts
from vidreid.data.tracks.videos import Pictures
from vidreid.errors import DataError


@dataclass(frozen=True)
class Lane:
    """One way through a video: the parts that one process cuts on it."""

    pictures: Pictures
    parts: Sequence[Part]


def make_lanes(videos: Sequence[tuple[Pictures, Sequence[Part]]], workers: int) -> list[Lane]:
    """Divide the parts of videos among ways through them, the longest first.

    A video file is decoded from its start on every way, so it gets several only where processes would be idle
    otherwise. All ways of a video advance together, with every nth part each.
    """
    files = sum(not pictures.free_to_start and len(parts) > 0 for pictures, parts in videos)
    lanes: list[Lane] = []
    for pictures, parts in videos:
        count = workers if pictures.free_to_start else -(-workers // max(files, 1))
        lanes += [Lane(pictures, parts[first::count]) for first in range(min(count, len(parts)))]
    return sorted(lanes, key=lambda lane: -sum(len(part.rows) for part in lane.parts))


def run_lanes(lanes: Sequence[Lane], ending: str, workers: int, advance: Callable[[int], None]) -> None:
    """Cut all parts.

    Args:
        lanes: Each of one process at a time.
        ending: Of the crops.
        workers: Processes; with one, this process does it.
        advance: Is told how many crops more there are.

    Raises:
        DataError: If a video cannot be decoded.
        ChildProcessError: If a process was killed.
    """
    if workers <= 1 or len(lanes) <= 1:
        for lane in lanes:
            for count in cut_parts(lane.pictures, lane.parts, ending):
                advance(count)
        return
    context = multiprocessing.get_context("spawn")
    cut, stop = context.SimpleQueue(), context.Event()
    executor = ProcessPoolExecutor(workers, context, initializer=_start, initargs=(cut, stop))
    try:
        # Ctrl-C is this process's business: workers inherit the blocked signal, also while they start.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            waiting = {executor.submit(_work, lane, ending) for lane in lanes}
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        while waiting:
            done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_EXCEPTION)
            while not cut.empty():
                advance(cut.get())
            for future in done:
                future.result()
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "A process that cuts was killed, perhaps for want of memory: the same command goes on where it "
            "stopped, with fewer workers=N if need be."
        ) from error
    except DataError as error:
        # Raised anew, because a traceback does not travel between processes.
        raise type(error)(str(error)) from error
    finally:
        # Waits for the parts under way, so that nobody writes after this function.
        stop.set()
        executor.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True)
class _Parent:
    """What ties a process to the one that started it: where it tells what it has cut, and when to stop."""

    cut: "SimpleQueue[int]"
    stop: Event


_parent: _Parent | None = None


def _start(cut: "SimpleQueue[int]", stop: Event) -> None:
    global _parent
    _parent = _Parent(cut, stop)
    # OpenCV's own threads would only fight with the other workers.
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that started it was killed, or two would soon write the same."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for([parent.sentinel])
    os._exit(1)


def _work(lane: Lane, ending: str) -> None:
    assert _parent is not None
    for count in cut_parts(lane.pictures, lane.parts, ending):
        _parent.cut.put(count)
        if _parent.stop.is_set():
            return
