"""Left and right exchanged from one frame to the next: what pose tools do when a person turns."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LEFT, _RIGHT = slice(0, None, 2), slice(1, None, 2)
_PAIRS = 3
_CLEAR = 2.0
_MOTION = 0.04


class Swaps(NamedTuple):
    """Counts over tracklets.

    Attributes:
        steps: Steps from a frame to the next in which left and right are far enough apart to tell.
        changes: Those in which exchanging left and right makes the motion much smaller.
        frames: Frames joined by such steps.
        swapped: Those of them that disagree with the majority of the frames they are joined with: too few
            where about half are exchanged, because a majority may be wrong.
    """

    steps: int
    changes: int
    frames: int
    swapped: int


NO_SWAPS = Swaps(0, 0, 0, 0)


def count_swaps(
    points: NDArray[np.float64], heights: NDArray[np.float64], follows: NDArray[np.bool_]
) -> Swaps:
    """Count exchanges of left and right.

    A step is told by the joints of which both sides are seen in both frames, three pairs at least: the sum of
    their ways as they are is compared with that after exchanging sides in one of the frames. One must be
    twice the other, and 4 % of the frame's height a joint, which it is not for a person seen from the side.

    Args:
        points: ``(n, 12, 2)``, left and right by turns; NaN where a joint is missing.
        heights: ``(n,)`` heights of the frames in pixels.
        follows: ``(n - 1,)``, whether frame ``i + 1`` comes right after ``i`` in the same tracklet.
    """
    if len(points) < 2:
        return NO_SWAPS
    left, right = points[:, _LEFT], points[:, _RIGHT]
    kept = _way(left, left) + _way(right, right)
    crossed = _way(left, right) + _way(right, left)
    seen = np.isfinite(kept + crossed)
    pairs = seen.sum(axis=1)
    kept, crossed = (np.where(seen, way, 0.0).sum(axis=1) for way in (kept, crossed))
    low, high = np.minimum(kept, crossed), np.maximum(kept, crossed)
    enough = high >= _MOTION * heights[1:] * 2 * np.maximum(pairs, 1)
    told = follows & (pairs >= _PAIRS) & (high >= _CLEAR * low) & enough
    change = told & (crossed < kept)

    run = np.concatenate([[0], np.cumsum(~told)])
    side = np.concatenate([[0], np.cumsum(change)]) % 2
    length = np.bincount(run)
    others = np.bincount(run, weights=side).astype(np.int64)
    swapped = np.minimum(others, length - others)
    return Swaps(int(told.sum()), int(change.sum()), int(length[length > 1].sum()), int(swapped.sum()))


def _way(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.norm(other[1:] - one[:-1], axis=-1)
