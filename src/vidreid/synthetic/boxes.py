"""Boxes as a detector and tracker give them: they drift, breathe and now and then hold half a body."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def true_boxes(points: Floats) -> Floats:
    """Box the skeleton with a margin for flesh and hair.

    Args:
        points: ``(F, n, 2)`` projected points.

    Returns:
        ``(F, 3)`` centre x, centre y and height in pixels.
    """
    top, bottom = points[..., 1].min(1), points[..., 1].max(1)
    height = bottom - top
    middle = (points[..., 0].min(1) + points[..., 0].max(1)) / 2
    return np.stack([middle, (top - 0.04 * height + bottom + 0.02 * height) / 2, 1.06 * height], 1)


def drift(rng: Generator, frames: int, sigma: float, memory: float = 0.85) -> Floats:
    """Return a slow random walk that is drawn back to 0 (an Ornstein-Uhlenbeck process), ``(frames,)``."""
    steps = rng.standard_normal(frames) * sigma
    value = np.empty(frames)
    value[0] = steps[0]
    for i in range(1, frames):
        value[i] = memory * value[i - 1] + np.sqrt(1 - memory**2) * steps[i]
    return value


def observed_boxes(rng: Generator, true: Floats, half_body: float, looseness: float = 1.0) -> Floats:
    """Disturb boxes.

    Args:
        rng: Source of randomness.
        true: ``(F, 3)`` centre x, centre y, height.
        half_body: Probability that a run of frames shows only the upper or the lower part of the body.
        looseness: Factor on the size of the disturbance.

    Returns:
        ``(F, 4)`` left, top, width, height in pixels.
    """
    frames = len(true)
    height = (
        true[:, 2]
        * (1.08 + 0.07 * looseness * rng.standard_normal())
        * np.exp(drift(rng, frames, 0.05 * looseness))
    )
    aspect = np.clip(rng.normal(0.47, 0.03), 0.4, 0.56)
    x = true[:, 0] + height * (
        0.03 * looseness * rng.standard_normal() + drift(rng, frames, 0.03 * looseness)
    )
    y = true[:, 1] + height * (
        0.045 * looseness * rng.standard_normal() + drift(rng, frames, 0.03 * looseness)
    )
    if rng.random() < half_body:
        length = int(rng.integers(max(frames // 4, 1), max(frames // 2, 1) + 1))
        start = int(rng.integers(frames - length + 1))
        share = rng.uniform(0.5, 0.72)
        side = -1 if rng.random() < 0.7 else 1
        run = slice(start, start + length)
        y[run] += side * height[run] * (1 - share) / 2
        height[run] *= share
    width = aspect * height
    return np.stack([x - width / 2, y - height / 2, width, height], 1)


def part_boxes(rng: Generator, boxes: Floats) -> Floats:
    """Shrink boxes to a part of the body."""
    share = rng.uniform(0.28, 0.5)
    where = rng.uniform(-0.45, 0.45, 2)
    centre = boxes[:, :2] + boxes[:, 2:] / 2 + where * boxes[:, 2:]
    size = share * boxes[:, 2:]
    return np.concatenate([centre - size / 2, size], 1)
