"""One pass over the keypoints of a split: counts from which findings follow."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidreid.data.inspection.frame_record import READ
from vidreid.data.inspection.frame_uses import SplitUses
from vidreid.data.inspection.keypoint_geometry import READINGS, judged, outside, plausible
from vidreid.data.inspection.swaps import NO_SWAPS, Swaps, count_swaps
from vidreid.data.keypoint_sources import KeypointSource
from vidreid.errors import DataError
from vidreid.keypoints.layouts import select_joints
from vidreid.keypoints.skeleton import SKELETONS
from vidreid.keypoints.store import KeypointStore

OUTSIDE_MARGIN = 0.1
"""Share of the frame's size by which a joint may lie outside without being counted."""

_CHUNK = 8192


@dataclass
class KeypointCounts:
    """What was counted in the keypoints of a split.

    Attributes:
        joints: Names of the joints of the skeleton.
        frames: Frames whose keypoints were read.
        unreadable: Numbers of the frames whose keypoints cannot be read.
        with_joints: Frames with any joint.
        seen: ``(K,)`` frames in which each joint is there.
        outside: Joints outside their frame, of ``placed``.
        placed: Joints that are there in frames of known size.
        confidence: Smallest and largest confidence of joints that are there.
        sure: Joints of confidence 1, of ``sum(seen)``.
        not_finite: Frames with a stored value that is no number and a confidence above 0.
        out_of_range: Frames with a stored confidence below 0 or above 1.
        judged: Frames whose posture can be judged.
        plausible: For each way of reading the keypoints the frames of these in which it looks right.
        pairs: Steps from a frame to the next with joints in both.
        frozen: Those in which no joint moves at all.
        sums: ``(3, K, 2)`` count, sum and sum of squares of the places as shares of the frame's size.
        swaps: Exchanges of left and right.
    """

    joints: tuple[str, ...]
    frames: int = 0
    unreadable: list[int] = field(default_factory=list)
    with_joints: int = 0
    seen: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    outside: int = 0
    placed: int = 0
    confidence: tuple[float, float] = (np.inf, -np.inf)
    sure: int = 0
    not_finite: int = 0
    out_of_range: int = 0
    judged: int = 0
    plausible: dict[str, int] = field(default_factory=lambda: dict.fromkeys(READINGS, 0))
    pairs: int = 0
    frozen: int = 0
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros((3, 12, 2)))
    swaps: Swaps = NO_SWAPS

    @property
    def spread(self) -> float:
        """Median over joints of the standard deviation of their place, as a share of the frame."""
        count, total, squares = self.sums
        with np.errstate(invalid="ignore", divide="ignore"):
            deviation = np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0.0))
        deviation = deviation[np.isfinite(deviation)]
        return float(np.median(deviation)) if len(deviation) else np.nan


def count_keypoints(
    source: KeypointSource, uses: SplitUses, records: NDArray[np.void], joints: str
) -> KeypointCounts:
    """Read the keypoints of a split once.

    Args:
        source: The keypoints.
        uses: The frames to look at, tracklet after tracklet.
        records: ``RECORD`` of every frame.
        joints: The skeleton that networks are given.
    """
    counts = KeypointCounts(SKELETONS[joints].names)
    counts.seen = np.zeros(len(counts.joints), np.int64)
    for part in _chunks(uses):
        stored, there = _read(source, part.rows)
        counts.unreadable += part.frames[~there].tolist()
        if isinstance(source, KeypointStore):
            _count_raw(counts, source.raw(part.rows))
        part = part.where(there)
        if len(part.frames):
            _count(counts, stored, part, records[part.frames], select_joints(stored, joints, source.layout))
    return counts


def _count(
    counts: KeypointCounts,
    stored: NDArray[np.float32],
    part: SplitUses,
    records: NDArray[np.void],
    skeleton: NDArray[np.floating],
) -> None:
    seen = skeleton[..., 2] > 0
    counts.frames += len(stored)
    counts.with_joints += int(seen.any(axis=1).sum())
    counts.seen += seen.sum(axis=0)
    if seen.any():
        confidence = skeleton[..., 2][seen]
        low, high = counts.confidence
        counts.confidence = (min(low, float(confidence.min())), max(high, float(confidence.max())))
        counts.sure += int((confidence >= 1).sum())

    follows = np.equal(np.diff(part.rows), 1) & np.equal(np.diff(part.tracklets), 0)
    some: NDArray[np.bool_] = np.any(seen, axis=1)
    both = follows & some[1:] & some[:-1]
    counts.pairs += int(both.sum())
    counts.frozen += int((both & (skeleton[1:] == skeleton[:-1]).all(axis=(1, 2))).sum())

    # Every layout has the joints from the shoulders to the ankles.
    body = select_joints(stored, "body12")
    points = np.where(body[..., 2:] > 0, body[..., :2], np.nan).astype(np.float64)
    known: NDArray[np.bool_] = np.equal(records["state"], READ)
    sizes = np.stack([records["width"], records["height"]], axis=1).astype(np.float64)
    both_known = follows & known[1:] & known[:-1]
    swaps = count_swaps(points, sizes[:, 1], both_known)
    counts.swaps = Swaps(*(old + new for old, new in zip(counts.swaps, swaps, strict=True)))

    points, sizes = points[known], sizes[known]
    there = np.asarray(np.isfinite(points).all(axis=-1))
    counts.placed += int(there.sum())
    counts.outside += int((outside(points, sizes, OUTSIDE_MARGIN) & there).sum())
    place = np.where(there[..., None], points, 0.0) / sizes[:, None]
    counts.sums += np.stack([np.repeat(there[..., None], 2, axis=-1), place, place**2]).sum(axis=1)
    can = judged(points)
    counts.judged += int(can.sum())
    for name, reading in READINGS.items():
        counts.plausible[name] += int(plausible(reading(points[can], sizes[can]), sizes[can]).sum())


def _count_raw(counts: KeypointCounts, raw: NDArray[np.float32]) -> None:
    confidence = raw[..., 2]
    broken = ~np.isfinite(raw).all(axis=-1) & ~(confidence == 0)
    counts.not_finite += int(broken.any(axis=1).sum())
    with np.errstate(invalid="ignore"):
        counts.out_of_range += int(((confidence < 0) | (confidence > 1)).any(axis=1).sum())


def _chunks(uses: SplitUses) -> Iterator[SplitUses]:
    """Cut between tracklets, about every 8,192 frames."""
    begins = np.flatnonzero(np.diff(uses.tracklets, prepend=-1))
    blocks = np.searchsorted(begins, np.arange(0, len(uses.frames), _CHUNK)).clip(max=len(begins) - 1)
    cuts = begins[np.unique(blocks)]
    for start, stop in zip(cuts, [*cuts[1:], len(uses.frames)], strict=True):
        yield SplitUses(*(part[start:stop] for part in uses))


def _read(source: KeypointSource, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the keypoints that can be read, and which those are."""
    there = np.ones(len(rows), dtype=bool)
    try:
        return source[rows], there
    except DataError:
        found = []
        for place in range(len(rows)):
            try:
                found.append(source[rows[place : place + 1]])
            except DataError:
                there[place] = False
        return np.concatenate([np.zeros((0, 17, 3), np.float32), *found]), there
