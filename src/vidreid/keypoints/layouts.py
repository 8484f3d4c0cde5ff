"""Layouts of stored keypoints: what goes into them, and taking the joints of a skeleton from them."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vidreid.keypoints.poses import Pose
from vidreid.keypoints.skeleton import SKELETONS
from vidreid.keypoints.skeleton_maps import map_joints
from vidreid.keypoints.tool_skeletons import find_skeleton

Layout = Literal["coco17", "posetrack17"]
"""Meaning of the 17 slots of stored keypoints.

``posetrack17`` is PoseTrack18's: nose, neck ("head_bottom"), head top, two ears that are never annotated,
then 5..16 as COCO.
"""


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

    What the layout lacks is missing (all zero), but for the neck and the top of the head, which
    ``map_joints`` tells from COCO's joints.

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
    if joints not in SKELETONS:
        raise ValueError(f"Unknown skeleton {joints!r}: choose one of {', '.join(SKELETONS)}.")
    return map_joints(keypoints, layout, joints)


def stored_layout(skeleton: str) -> Layout:
    """Return the layout in which a store keeps most of a skeleton.

    Raises:
        ValueError: If there is no such skeleton.
    """
    return "posetrack17" if "head_top" in find_skeleton(skeleton).names else "coco17"


def to_store(pose: Pose, skeleton: str) -> NDArray[np.float64]:
    """Return what a keypoint store holds of a person.

    Args:
        pose: Somebody whom a pose tool found.
        skeleton: The tool's joints, a name of ``ALL_SKELETONS``.

    Returns:
        ``(17, 3)`` in the layout ``stored_layout(skeleton)``: PoseTrack's joints stay so, with neck and top
        of the head, all others become COCO's.

    Raises:
        ValueError: If there is no such skeleton, or the person's joints are of another.
    """
    return np.asarray(map_joints(pose.keypoints, skeleton, stored_layout(skeleton)), dtype=np.float64)
