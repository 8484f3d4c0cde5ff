"""Whether joints lie where a standing person's do, and what would put them there."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

_SHOULDERS, _HIPS, _KNEES, _ANKLES = slice(0, 2), slice(6, 8), slice(8, 10), slice(10, 12)
_LEAST_SPAN = 0.2
_MOST_SPAN = 1.6
_MARGIN = 0.15
_INSIDE = 0.75

Points = NDArray[np.float64]


def _exchanged(points: Points, sizes: Points) -> Points:
    return points[..., ::-1]


def _from_below(points: Points, sizes: Points) -> Points:
    return np.stack([points[..., 0], sizes[:, None, 1] - points[..., 1]], axis=-1)


def _reversed(points: Points, sizes: Points) -> Points:
    return points[:, ::-1]


def _fractions(points: Points, sizes: Points) -> Points:
    return points * sizes[:, None]


AS_STORED = "as stored"
XY_EXCHANGED = "x and y exchanged"
FROM_BELOW = "y counted from the bottom"
REVERSED = "joints in the reverse order, ankles first"
FRACTIONS = "x and y multiplied by the size of the frame"
READINGS: Mapping[str, Callable[[Points, Points], Points]] = {
    AS_STORED: lambda points, sizes: points,
    XY_EXCHANGED: _exchanged,
    FROM_BELOW: _from_below,
    REVERSED: _reversed,
    FRACTIONS: _fractions,
}
"""Ways in which somebody may have written keypoints, and how to read them."""


def judged(points: Points) -> NDArray[np.bool_]:
    """Tell in which frames the posture can be judged: shoulders, hips and knees or ankles are there.

    Args:
        points: ``(n, 12, 2)`` from shoulders to ankles; NaN where a joint is missing.
    """
    heights = (_height(points, part) for part in (_SHOULDERS, _HIPS))
    return np.asarray(np.isfinite(np.stack([*heights, _legs(points)])).all(axis=0))


def plausible(points: Points, sizes: Points) -> NDArray[np.bool_]:
    """Tell in which frames shoulders stand above hips and those above the legs, in a person-sized skeleton
    inside the frame.

    Args:
        points: ``(n, 12, 2)`` x and y in pixels of the crop; NaN where a joint is missing.
        sizes: ``(n, 2)`` width and height of the crops.
    """
    shoulders, hips, legs = _height(points, _SHOULDERS), _height(points, _HIPS), _legs(points)
    span = (legs - shoulders) / sizes[:, 1]
    there = np.isfinite(points).all(axis=-1)
    inside = (~outside(points, sizes, _MARGIN) & there).sum(axis=1) >= _INSIDE * there.sum(axis=1)
    upright = (shoulders < hips) & (hips < legs)
    return upright & (span >= _LEAST_SPAN) & (span <= _MOST_SPAN) & inside


def outside(points: Points, sizes: Points, margin: float) -> NDArray[np.bool_]:
    """Tell which joints ``(n, k)`` lie outside the frame by more than a margin, as a share of its size."""
    with np.errstate(invalid="ignore"):
        place = points / sizes[:, None]
        return np.asarray(((place < -margin) | (place > 1 + margin)).any(axis=-1))


def _height(points: Points, part: slice) -> NDArray[np.float64]:
    """Return the mean y of the joints of a pair that are there."""
    y = points[:, part, 1]
    there = np.isfinite(points[:, part]).all(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.where(there, y, 0.0).sum(axis=1) / there.sum(axis=1)


def _legs(points: Points) -> NDArray[np.float64]:
    ankles = _height(points, _ANKLES)
    return np.where(np.isfinite(ankles), ankles, _height(points, _KNEES))
