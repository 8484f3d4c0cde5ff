"""Which of several people in a crop the crop is about."""

from collections.abc import Sequence

import numpy as np

from vidreid.keypoints.poses import Pose

RULES = ("target", "score", "centre", "overlap")


def choose_pose(poses: Sequence[Pose], size: tuple[int, int], rule: str = "target") -> Pose | None:
    """Return the pose of the person whom a crop ``size`` (height, width) is about, or ``None``."""
    if rule not in RULES:
        raise ValueError(f"There is no rule {rule!r}: choose one of {', '.join(RULES)}.")
    told = [pose for pose in poses if pose.is_target] if rule == "target" else []
    if told or not poses:
        return told[0] if told else None
    if rule in ("target", "score"):
        return max(poses, key=lambda pose: pose.score or 0.0)
    middle = np.array(size[::-1]) / 2
    return min(poses, key=lambda pose: float(np.linalg.norm(pose.keypoints[:, :2].mean(0) - middle)))
