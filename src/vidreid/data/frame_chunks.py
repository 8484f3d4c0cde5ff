"""The image files of a whole frame list, read by several threads and handed over in order."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor

from vidreid.data.frames import FrameError, check_whole
from vidreid.data.reading import OnBadFrame
from vidreid.data.tracklets import FrameList

CHUNK = 256
"""Frames that a thread reads at a time."""


def encoded_chunks(
    frames: FrameList, start: int, workers: int, on_bad_frame: OnBadFrame
) -> Generator[list[bytes]]:
    """Yield the bytes of the frames from ``start`` on, chunk by chunk, with a few chunks read ahead.

    Threads, because opening files is waiting; processes would have to hand over the bytes and outlive a kill.

    Args:
        frames: The frame list.
        start: The first row.
        workers: Threads, at least one.
        on_bad_frame: ``error``, or ``skip_frame``: no bytes stand for a frame that is missing or cut off.

    Raises:
        FrameError: If a frame is missing or cut off, under ``error``; the first in the order of the list.
    """
    workers = max(workers, 1)
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[list[bytes]]] = deque()
        try:
            for first in range(start, len(frames), CHUNK):
                rows = range(first, min(first + CHUNK, len(frames)))
                pending.append(pool.submit(_read, frames, rows, on_bad_frame))
                if len(pending) > 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _read(frames: FrameList, rows: range, on_bad_frame: OnBadFrame) -> list[bytes]:
    chunk = []
    for row in rows:
        try:
            image = frames.encoded(row)
            check_whole(image, frames.file(row))
        except FrameError:
            if on_bad_frame == "error":
                raise
            image = b""
        chunk.append(image)
    return chunk
