"""Skeletons: names of joints, their edges, part groups and mirror order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Skeleton:
    """A layout of ``K`` joints. Left and right are the person's own.

    Attributes:
        names: ``K`` joint names.
        edges: Undirected limbs as pairs of joint numbers.
        groups: Named sets of joints that are pooled together, in the order of the heads.
        mirror: ``mirror[j]`` is the joint that ``j`` becomes when the image is flipped.
    """

    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    groups: dict[str, tuple[int, ...]]
    mirror: tuple[int, ...]

    def __len__(self) -> int:
        """Return the number of joints ``K``."""
        return len(self.names)


_COCO_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip

COCO17 = Skeleton(
    names=_COCO_NAMES,
    # Neither a hip-hip nor a face-shoulder edge: the released KMPNet has neither.
    edges=(
        (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (11, 13), (13, 15), (6, 12), (12, 14), (14, 16),
        (0, 1), (0, 2), (1, 2), (1, 3), (2, 4),
    ),
    groups={
        "whole": tuple(range(17)),
        "upper": tuple(range(11)),
        "lower": tuple(range(11, 17)),
        "head": tuple(range(5)),
        "left_arm_right_leg": (5, 7, 9, 12, 14, 16),
        "right_arm_left_leg": (6, 8, 10, 11, 13, 15),
    },
    mirror=(0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15),
)  # fmt: skip
"""COCO's 17 joints with the edges and groups of the released KMPNet."""

BODY12 = Skeleton(
    names=_COCO_NAMES[5:],
    edges=((0, 1), (0, 2), (2, 4), (1, 3), (3, 5), (0, 6), (6, 8), (8, 10), (1, 7), (7, 9), (9, 11)),
    groups={
        "whole": tuple(range(12)),
        "upper": (0, 1, 2, 3, 4, 5),
        "lower": (6, 7, 8, 9, 10, 11),
        "left_arm_right_leg": (0, 2, 4, 7, 9, 11),
        "right_arm_left_leg": (1, 3, 5, 6, 8, 10),
    },
    mirror=(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10),
)
"""The 12 body joints without the face: the skeleton behind KMPNet's five graph embeddings."""

BODY12_FROM_COCO17: NDArray[np.int64] = np.arange(5, 17)
"""Rows of a COCO-17 array that make a BODY12 array."""

SKELETONS = {"coco17": COCO17, "body12": BODY12}
"""Skeletons by the names that configurations use."""


def select_joints(keypoints: NDArray[np.floating], joints: str) -> NDArray[np.floating]:
    """Take the joints of a skeleton from COCO-17 keypoints.

    Args:
        keypoints: ``(..., 17, 3)``.
        joints: ``coco17`` or ``body12``.

    Returns:
        ``(..., K, 3)``.

    Raises:
        ValueError: For another name.
    """
    if joints == "coco17":
        return keypoints
    if joints == "body12":
        return keypoints[..., BODY12_FROM_COCO17, :]
    raise ValueError(f"Unknown skeleton {joints!r}: choose one of {', '.join(SKELETONS)}.")
