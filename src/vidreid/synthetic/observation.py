"""Keypoints as a pose estimator would give them: jittered, swapped, missing, false, or somebody else's."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vidreid.keypoints.skeleton import COCO17
from vidreid.synthetic.boxes import drift

Floats = NDArray[np.float64]

VISIBLE, SELF_HIDDEN, ABSENT = 1.0, 0.5, 0.0
"""Confidence of a true joint: seen, hidden by the own body, hidden by something else or outside the crop."""

# Wrists and ankles are found less exactly than shoulders and hips.
_SPREAD = np.array([0.6] * 5 + [0.8, 0.8, 1.1, 1.1, 1.3, 1.3, 1.1, 1.1, 1.0, 1.0, 1.2, 1.2])


def detect(
    rng: Generator, true: Floats, other: Floats | None, overlap: Floats, height: int, width: int
) -> NDArray[np.float32]:
    """Observe the keypoints of a tracklet.

    Args:
        rng: Source of randomness.
        true: ``(F, 17, 3)`` true joints in pixels of the crop with the confidences named above.
        other: ``(F, 17, 3)`` joints of a second person near by, or ``None``.
        overlap: ``(F,)`` share of the person pixels of the crop that are the second person's, 0..1.
        height: Of the crop.
        width: Of the crop.

    Returns:
        ``(F, 17, 3)`` float32; missing joints are ``(0, 0, 0)``.
    """
    result = np.stack([_detect_frame(rng, frame, height, width) for frame in true])
    if other is not None:
        # The estimator takes the other one for a while, the likelier the more of the crop is his.
        taken = drift(rng, len(true), 1.0, 0.8) > 2.6 - 3.2 * overlap
        for frame in np.nonzero(taken & (overlap > 0.15))[0]:
            result[frame] = _detect_frame(rng, other[frame], height, width)
    return result.astype(np.float32)


def _detect_frame(rng: Generator, true: Floats, height: int, width: int) -> Floats:
    seen = true[:, 2] == VISIBLE
    hidden = true[:, 2] == SELF_HIDDEN
    inside = (true[:, 0] >= 0) & (true[:, 0] <= width) & (true[:, 1] >= 0) & (true[:, 1] <= height)
    if seen.sum() < 3 or rng.random() < 0.01:
        return np.zeros((17, 3))
    extent = np.ptp(true[:, 1])
    sigma = 0.012 * extent * _SPREAD * np.where(seen, 1.0, np.where(hidden, 1.7, 3.0))
    noise = rng.standard_normal((17, 2))
    result = np.zeros((17, 3))
    result[:, :2] = true[:, :2] + noise * sigma[:, None]
    confidence = 0.93 - 0.10 * np.abs(noise).max(1) - np.where(seen, 0.0, np.where(hidden, 0.15, 0.45))
    result[:, 2] = np.clip(confidence + 0.05 * rng.standard_normal(17), 0.05, 0.99)

    draw = rng.random(17)
    lost = np.where(seen, draw < 0.02, np.where(hidden, draw < 0.15, draw < 0.65))
    false = (rng.random(17) < np.where(seen, 0.006, np.where(hidden, 0.02, 0.12))) & ~lost
    if false.any():
        result[false, :2] += 0.18 * extent * rng.standard_normal((int(false.sum()), 2))
        result[false, 2] = rng.uniform(0.6, 0.95, int(false.sum()))
    if rng.random() < 0.05:
        joints = np.arange(5, 11) if rng.random() < 0.4 else np.arange(11, 17)
        result[joints] = result[np.array(COCO17.mirror)[joints]]
        lost[joints] = lost[np.array(COCO17.mirror)[joints]]
    outside = (
        (result[:, 0] < 0) | (result[:, 0] > width) | (result[:, 1] < 0) | (result[:, 1] > height) | ~inside
    )
    result[lost | outside] = 0.0
    return result
