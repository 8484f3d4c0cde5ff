"""Frames decoded by threads ahead of whoever works on them."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from vidreid.data.frames import FrameError, FrameSource, read_frame

Decoded = NDArray[np.uint8] | FrameError
_AHEAD = 2
"""Batches that are decoded while one is worked on."""


def decoded_batches(
    frames: FrameSource, batches: Iterable[Sequence[int]], workers: int
) -> Iterator[tuple[Sequence[int], list[Decoded]]]:
    """Yield batches of frames in their order.

    Threads, because reading a file and decoding it both leave Python's lock to others.

    Args:
        frames: The frames.
        batches: Rows of each batch.
        workers: Threads, at least one.

    Yields:
        The rows, and for each the frame ``(h, w, 3)`` or what was wrong with it.
    """
    with ThreadPoolExecutor(max(1, workers)) as pool:
        waiting: deque[tuple[Sequence[int], list[Future[Decoded]]]] = deque()
        try:
            for rows in batches:
                waiting.append((rows, [pool.submit(_decoded, frames, row) for row in rows]))
                if len(waiting) > _AHEAD:
                    yield _results(*waiting.popleft())
            while waiting:
                yield _results(*waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _decoded(frames: FrameSource, row: int) -> Decoded:
    try:
        return read_frame(frames, row)
    except FrameError as error:
        return error


def _results(rows: Sequence[int], futures: Sequence[Future[Decoded]]) -> tuple[Sequence[int], list[Decoded]]:
    return rows, [future.result() for future in futures]
