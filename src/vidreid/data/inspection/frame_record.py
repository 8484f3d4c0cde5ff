"""What an inspection keeps of a frame: 41 bytes, so that the 1.2 million of MARS fit anywhere."""

import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.data.frames import FrameError, FrameSource, are_boxes, decode_frame

READ, MISSING, DAMAGED = 1, 2, 3
"""States of a frame; 0 is one that nobody looked at."""

HASH_BYTES = 16

RECORD = np.dtype(
    [
        ("state", np.uint8),
        ("height", np.int32),
        ("width", np.int32),
        ("digest", np.uint64),  # of the file's bytes, of a box its pixels
        ("hash", np.uint8, (HASH_BYTES,)),  # difference hash of the picture
        ("contrast", np.float32),  # largest standard deviation of a channel, in grey values
        ("colour", np.float32),  # mean distance of the channels, in grey values
    ]
)
"""One frame."""

_HASH_ROWS, _HASH_COLUMNS = 16, 8


def record_of(frames: FrameSource, row: int) -> NDArray[np.void]:
    """Read a frame and note what it is like.

    Args:
        frames: Where it comes from.
        row: Its row there.

    Returns:
        ``()`` of ``RECORD``; of a frame that cannot be read only the state is told.
    """
    record = np.zeros((), RECORD)
    try:
        data = frames.encoded(row)
    except FrameError:
        record["state"] = MISSING
        return record
    try:
        image = decode_frame(frames, row, data)
    except FrameError:
        record["state"] = DAMAGED
        return record
    # Many boxes lie in one file.
    content = image.tobytes() if are_boxes(frames) else data
    small = cv2.resize(image, (2 * (_HASH_COLUMNS + 1), 2 * _HASH_ROWS), interpolation=cv2.INTER_AREA)
    record["state"] = READ
    record["height"], record["width"] = image.shape[:2]
    record["digest"] = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
    record["hash"] = difference_hash(small)
    record["contrast"] = cv2.meanStdDev(image)[1].max()
    record["colour"] = np.ptp(small, axis=2).mean()
    return record


def difference_hash(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return 128 bits that say where a picture gets brighter from left to right, on a grid of 16 x 8.

    Two encodings of one picture differ in few of them, whatever their size.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.

    Returns:
        ``(16,)`` uint8.
    """
    grey = cv2.cvtColor(np.asarray(image, np.uint8), cv2.COLOR_RGB2GRAY)
    grid = cv2.resize(grey, (_HASH_COLUMNS + 1, _HASH_ROWS), interpolation=cv2.INTER_AREA)
    return np.packbits(grid[:, 1:] > grid[:, :-1])
