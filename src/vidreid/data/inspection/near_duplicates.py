"""Pictures that were encoded or resized anew: found by their hashes, confirmed by their pixels.

All pairs within a few bits cannot be listed among a million frames. Sorted by their hashes, near ones stand
beside each other unless a leading bit differs; sorting by 16 rotations of the hash gives each pair 16 chances
(Charikar, STOC 2002).
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.data.frames import FrameError, read_frame
from vidreid.data.inspection.duplicates import Duplicates, Pair, comparable
from vidreid.data.inspection.frame_record import HASH_BYTES
from vidreid.data.inspection.frame_uses import FrameUses, SplitUses
from vidreid.data.mars_format import JUNK_PID

BITS = 12
"""Of 128, by which hashes of one picture may differ."""
CORRELATION = 0.97
"""Of the pixels of two small pictures, from which on they may show the same."""
DETAIL = 0.85
"""The same of their details: what a blur takes away."""
LEAST_DETAIL = 6.0
"""Standard deviation of the details in grey values below which a picture, such as that of a post before the
person, shows too little to be compared."""
CONFIRMED = 4000
"""Pairs that are compared by their pixels at most, nearest first."""
_NEIGHBOURS = 3
_THUMBNAIL = (16, 32)


def alike_frames(uses: FrameUses, records: NDArray[np.void], known: Duplicates) -> Duplicates:
    """Find frames that show the same picture without being the same file.

    Args:
        uses: Who uses the frames.
        records: What they are like.
        known: Identical frames; they and their neighbours in time need not be told again.

    Returns:
        For each frame the nearest one, if they are alike.
    """
    told = {frame for pair in (*known.across, *known.inside) for frame in pair}
    train, test = comparable(uses.train, records), comparable(uses.test, records)
    across = _nearest(_across(train, test, records), told)
    inside = _nearest((pair for split in (train, test) for pair in _inside(split, records)), told)
    same = _confirm(uses)
    return Duplicates([pair for pair in across if same(pair)], [pair for pair in inside if same(pair)])


def _across(
    train: SplitUses, test: SplitUses, records: NDArray[np.void]
) -> Iterator[tuple[NDArray[np.int64], ...]]:
    ours, theirs = np.unique(train.frames), np.unique(test.frames)
    if len(ours) == 0 or len(theirs) == 0:
        return
    own, other = records["hash"][ours], records["hash"][theirs]
    for rotation in range(HASH_BYTES):
        keys = _keys(own, rotation)
        order = np.argsort(keys)
        place = np.searchsorted(keys[order], _keys(other, rotation))
        for step in range(-_NEIGHBOURS, _NEIGHBOURS):
            near = order[np.clip(place + step, 0, len(order) - 1)]
            bits = np.bitwise_count(own[near] ^ other).sum(axis=1, dtype=np.int64)
            close = bits <= BITS
            yield ours[near[close]], theirs[close], bits[close]


def _inside(uses: SplitUses, records: NDArray[np.void]) -> Iterator[tuple[NDArray[np.int64], ...]]:
    uses = uses.where(uses.pids != JUNK_PID)
    hashes = records["hash"][uses.frames]
    for rotation in range(HASH_BYTES):
        order = np.argsort(_keys(hashes, rotation), kind="stable")
        for step in range(1, 2 * _NEIGHBOURS):
            first, second = np.sort(np.stack([order[:-step], order[step:]]), axis=0)
            bits = np.bitwise_count(hashes[first] ^ hashes[second]).sum(axis=1, dtype=np.int64)
            close = (bits <= BITS) & (uses.pids[first] != uses.pids[second])
            yield uses.frames[first[close]], uses.frames[second[close]], bits[close]


def _keys(hashes: NDArray[np.uint8], rotation: int) -> NDArray[np.uint64]:
    leading = np.roll(hashes, -rotation, axis=1)[:, :8]
    return np.ascontiguousarray(leading).view(">u8").ravel().astype(np.uint64)


def _nearest(found: Iterator[tuple[NDArray[np.int64], ...]], told: set[int]) -> list[Pair]:
    """Return the nearest partner of each second frame, the nearest pairs first."""
    best: dict[int, tuple[int, int]] = {}
    for firsts, seconds, bits in found:
        for first, second, distance in zip(firsts.tolist(), seconds.tolist(), bits.tolist(), strict=True):
            new = first != second and first not in told and second not in told
            if new and (distance, first) < best.get(second, (BITS + 1, 0)):
                best[second] = (distance, first)
    ordered = sorted((distance, first, second) for second, (distance, first) in best.items())
    return [Pair(first, second) for _, first, second in ordered[:CONFIRMED]]


def _confirm(uses: FrameUses) -> Callable[[Pair], bool]:
    def same(pair: Pair) -> bool:
        try:
            first, second = (_thumbnail(read_frame(*uses.place(frame))) for frame in pair)
        except FrameError:
            return False
        details = _detail(first), _detail(second)
        if min(float(detail.std()) for detail in details) < LEAST_DETAIL:
            return False
        return _correlation(first, second) >= CORRELATION and _correlation(*details) >= DETAIL

    return same


def _thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return cv2.resize(image, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)


def _detail(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return image - cv2.GaussianBlur(image, (0, 0), 2.0)


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    first, second = first - first.mean(), second - second.mean()
    return float((first * second).mean() / max(first.std() * second.std(), 1e-6))
