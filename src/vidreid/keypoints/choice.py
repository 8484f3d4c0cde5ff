"""Choosing the person whom a crop is about, where a pose tool found several."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from vidreid.keypoints.poses import Pose


class Extent(NamedTuple):
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Zero if it is empty."""
        return max(self.right - self.left, 0.0) * max(self.bottom - self.top, 0.0)


def choose_pose(poses: Sequence[Pose], size: tuple[int, int], rule: str = "target") -> Pose | None:
    """Return the person whom a crop is about.

    - ``target``: who is marked so (``is_target``). Among several marked ones, or where nobody is marked, the
      rule ``overlap`` decides; who is marked as another is left out.
    - ``score``: the highest score, as in the released KeyRe-ID. A pose without one counts with the mean
      confidence of all its joints, missing ones as 0.
    - ``centre``: the nearest to the centre of the crop.
    - ``overlap``: the highest ``o * (1 + s / s_max) / 2``. Here ``o`` is the intersection of the pose's box
      with the crop over their union, which favours who fills the crop and stays within it, ``s`` the score as
      above and ``s_max`` the highest of all: a poor score at most halves the overlap.

    The box of a pose without one, or with an empty one, is that of its joints. ``centre`` and ``overlap``
    leave out whose box does not touch the crop. Of equals the first is taken.

    Args:
        poses: Everybody whom the tool found, in pixels of the crop.
        size: Height and width of the crop.
        rule: ``target``, ``score``, ``centre`` or ``overlap``.

    Returns:
        One of ``poses``, or ``None`` if there is nobody to choose from.

    Raises:
        ValueError: If there is no such rule.
    """
    check_rule(rule)
    return RULES[rule](poses, size)


def check_rule(rule: str) -> None:
    """Refuse what is no rule of ``choose_pose``.

    Raises:
        ValueError: With the choices.
    """
    if rule not in RULES:
        raise ValueError(f"Unknown choice of person {rule!r}: choose one of {', '.join(RULES)}.")


def joints_box(pose: Pose) -> tuple[float, float, float, float] | None:
    """Return x, y, width and height of the pixels that a person's joints lie in, ``None`` without joints."""
    there = pose.keypoints[pose.keypoints[:, 2] > 0, :2]
    if len(there) == 0:
        return None
    # A joint is a pixel: a single one, or a row of them, has an area.
    (left, top), (width, height) = there.min(axis=0).tolist(), (np.ptp(there, axis=0) + 1).tolist()
    return left, top, width, height


def pose_score(pose: Pose) -> float:
    """Return the score of a person, without one the mean confidence of all joints."""
    return float(pose.keypoints[:, 2].mean()) if pose.score is None else pose.score


def _target(poses: Sequence[Pose], size: tuple[int, int]) -> Pose | None:
    marked = [pose for pose in poses if pose.is_target]
    if len(marked) == 1:
        return marked[0]
    return _overlap(marked or [pose for pose in poses if pose.is_target is None], size)


def _score(poses: Sequence[Pose], _: tuple[int, int]) -> Pose | None:
    return max(poses, key=pose_score, default=None)


def _centre(poses: Sequence[Pose], size: tuple[int, int]) -> Pose | None:
    height, width = size

    def distance(extent: Extent) -> float:
        x, y = (extent.left + extent.right) / 2, (extent.top + extent.bottom) / 2
        return float(np.hypot(x - width / 2, y - height / 2))

    found = _inside(poses, size)
    return min(found, key=lambda one: distance(one[1]), default=(None, None))[0]


def _overlap(poses: Sequence[Pose], size: tuple[int, int]) -> Pose | None:
    found = _inside(poses, size)
    best = max((pose_score(pose) for pose, _ in found), default=0.0)
    crop = size[0] * size[1]

    def value(pose: Pose, extent: Extent) -> float:
        shared = _within(extent, size).area
        weight = (1 + max(pose_score(pose), 0.0) / best) / 2 if best > 0 else 1.0
        return shared / (extent.area + crop - shared) * weight

    return max(found, key=lambda one: value(*one), default=(None, None))[0]


def _inside(poses: Sequence[Pose], size: tuple[int, int]) -> list[tuple[Pose, Extent]]:
    """Return those whose box touches the crop, with it."""
    extents = [(pose, _extent(pose)) for pose in poses]
    return [(pose, extent) for pose, extent in extents if _within(extent, size).area > 0]


def _extent(pose: Pose) -> Extent:
    """Return the box of a person, empty if there is none; one without area is taken for none."""
    box = pose.box
    if box is None or not (box[2] > 0 and box[3] > 0):
        box = joints_box(pose) or (0.0, 0.0, 0.0, 0.0)
    return Extent(box[0], box[1], box[0] + box[2], box[1] + box[3])


def _within(extent: Extent, size: tuple[int, int]) -> Extent:
    height, width = size
    return Extent(
        max(extent.left, 0.0), max(extent.top, 0.0), min(extent.right, width), min(extent.bottom, height)
    )


RULES: dict[str, Callable[[Sequence[Pose], tuple[int, int]], Pose | None]] = {
    "target": _target,
    "score": _score,
    "centre": _centre,
    "overlap": _overlap,
}
"""The rules by name."""
