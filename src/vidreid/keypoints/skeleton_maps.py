"""From the joints of one skeleton to those of another, by their names."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vidreid.keypoints.tool_skeletons import find_skeleton

# Slots that a skeleton has and nobody fills: what lies there is no joint.
_EMPTY_SLOTS = {"posetrack17": frozenset({"left_ear", "right_ear"})}


def map_joints(keypoints: NDArray[np.floating], source: str, target: str) -> NDArray[np.floating]:
    """Take the joints of a skeleton from those of another.

    Joints that the target lacks are dropped; those that the source lacks are missing (all zero), but for two
    that can be told: the neck is the middle between the shoulders, and the top of the head lies as far above
    the nose as the neck below. They are as sure as the least sure joint they come from, and missing if one of
    those is. A neck that the source has and did not see is not told from its shoulders.

    Args:
        keypoints: ``(..., K, 3)``: x, y and confidence; confidence 0 means missing.
        source: Skeleton that they are in, a name of ``ALL_SKELETONS``.
        target: Skeleton that is wanted.

    Returns:
        ``(..., L, 3)`` of the same dtype; the array itself if nothing is to be done.

    Raises:
        ValueError: If there is no such skeleton, or the keypoints are of another.
    """
    joints = len(find_skeleton(source))
    if keypoints.shape[-2:] != (joints, 3):
        raise ValueError(f"Keypoints of {source} must be (..., {joints}, 3), not {keypoints.shape}.")
    if source == target:
        return keypoints
    places = _places(source, target)
    mapped = keypoints[..., places, :]
    mapped[..., places < 0, :] = 0.0
    _tell_neck_and_head_top(keypoints, source, mapped, target)
    return mapped


def shared_joints(source: str, target: str) -> tuple[str, ...]:
    """Return the names of the joints that two skeletons have in common, in the order of the target."""
    has, wanted = _filled(source), _filled(target)
    return tuple(name for name in find_skeleton(target).names if name in has and name in wanted)


@lru_cache
def _places(source: str, target: str) -> NDArray[np.int64]:
    """Return the place in the source of each joint of the target, -1 where it lacks it."""
    names, shared = find_skeleton(source).names, shared_joints(source, target)
    found = [names.index(name) if name in shared else -1 for name in find_skeleton(target).names]
    return np.array(found, dtype=np.int64)


def _filled(skeleton: str) -> set[str]:
    return set(find_skeleton(skeleton).names) - _EMPTY_SLOTS.get(skeleton, frozenset())


def _tell_neck_and_head_top(
    keypoints: NDArray[np.floating], source: str, mapped: NDArray[np.floating], target: str
) -> None:
    """Fill in the two joints that follow from others, in place."""
    has, wanted = find_skeleton(source).names, find_skeleton(target).names

    def joint(name: str) -> NDArray[np.floating]:
        return keypoints[..., has.index(name), :]

    if not {"neck", "head_top"} & (set(wanted) - set(has)):
        return
    if "neck" in has:
        neck = joint("neck")
    else:
        left, right = joint("left_shoulder"), joint("right_shoulder")
        neck = _between((left + right)[..., :2] / 2, left, right)
        if "neck" in wanted:
            mapped[..., wanted.index("neck"), :] = neck
    if "head_top" in wanted and "head_top" not in has and "nose" in has:
        nose = joint("nose")
        mapped[..., wanted.index("head_top"), :] = _between((2 * nose - neck)[..., :2], nose, neck)


def _between(
    position: NDArray[np.floating], one: NDArray[np.floating], other: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return a joint that is told from two others, all zero where one of them is missing."""
    confidence = np.minimum(one[..., 2:], other[..., 2:])
    return np.where(confidence > 0, np.concatenate([position, confidence], axis=-1), 0.0)
