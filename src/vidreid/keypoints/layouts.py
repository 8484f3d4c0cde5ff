"""Layouts of stored keypoints, and taking the joints of a skeleton from them."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vidreid.keypoints.skeleton import SKELETONS

Layout = Literal["coco17", "posetrack17"]
"""Meaning of the 17 slots of stored keypoints.

``posetrack17`` is PoseTrack18's: nose, neck ("head_bottom"), head top, two ears that are never annotated,
then 5..16 as COCO.
"""

# Slots of PoseTrack18 that make a POSETRACK15 array.
_POSETRACK15_SLOTS = np.array([16, 14, 12, 11, 13, 15, 10, 8, 6, 5, 7, 9, 1, 0, 2])
_NOSE, _NECK, _HEAD_TOP = 0, 1, 2
_SHOULDERS = (5, 6)


def check_layout(layout: str) -> None:
    """Refuse what is neither ``coco17`` nor ``posetrack17``.

    Raises:
        ValueError: With the choices.
    """
    if layout not in get_args(Layout):
        raise ValueError(
            f"Unknown layout of stored keypoints {layout!r}: choose one of {', '.join(get_args(Layout))}."
        )


def select_joints(
    keypoints: NDArray[np.floating], joints: str, layout: str = "coco17"
) -> NDArray[np.floating]:
    """Take the joints of a skeleton from stored keypoints.

    What the layout lacks is missing (all zero), but for two joints that can be told: from COCO the neck is
    the middle between the shoulders, and the top of the head lies as far above the nose as the neck below.
    They are as sure as the least sure joint they come from, and missing if one of those is.

    Args:
        keypoints: ``(..., 17, 3)``; confidence 0 means missing.
        joints: ``body12``, which every layout has, ``coco17`` or ``posetrack15``.
        layout: What the 17 slots are: ``coco17`` or ``posetrack17``.

    Returns:
        ``(..., K, 3)``.

    Raises:
        ValueError: For another skeleton or layout.
    """
    check_layout(layout)
    if joints == "body12":
        return keypoints[..., 5:, :]
    if joints == "coco17":
        return keypoints if layout == "coco17" else _without_slots(keypoints, slice(1, 5))
    if joints == "posetrack15":
        slots = _with_neck_and_head(keypoints) if layout == "coco17" else keypoints
        return slots[..., _POSETRACK15_SLOTS, :]
    raise ValueError(f"Unknown skeleton {joints!r}: choose one of {', '.join(SKELETONS)}.")


def _without_slots(keypoints: NDArray[np.floating], slots: slice) -> NDArray[np.floating]:
    emptied = keypoints.copy()
    emptied[..., slots, :] = 0.0
    return emptied


def _with_neck_and_head(keypoints: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return PoseTrack18's slots of COCO keypoints."""
    slots = _without_slots(keypoints, slice(1, 5))
    left, right = (keypoints[..., shoulder, :] for shoulder in _SHOULDERS)
    slots[..., _NECK, :] = _joint((left + right)[..., :2] / 2, left, right)
    nose, neck = keypoints[..., _NOSE, :], slots[..., _NECK, :]
    slots[..., _HEAD_TOP, :] = _joint((2 * nose - neck)[..., :2], nose, neck)
    return slots


def _joint(
    position: NDArray[np.floating], one: NDArray[np.floating], other: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return a joint that is derived from two others, all zero where one of them is missing."""
    confidence = np.minimum(one[..., 2:], other[..., 2:])
    return np.where(confidence > 0, np.concatenate([position, confidence], axis=-1), 0.0)
