"""Skeletons: names of joints, their edges, part groups and mirror order."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Skeleton:
    """A layout of ``K`` joints. Left and right are the person's own.

    Attributes:
        names: ``K`` joint names.
        edges: Undirected limbs as pairs of joint numbers.
        groups: Named sets of joints that are pooled together, in the order of KMPNet's heads; they overlap.
        parts: Disjoint body parts in the order of KeyRe-ID's heads (paper, Table 1).
        mirror: ``mirror[j]`` is the joint that ``j`` becomes when the image is flipped.
    """

    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    groups: dict[str, tuple[int, ...]]
    parts: dict[str, tuple[int, ...]]
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
    parts={
        "head": (0, 1, 2, 3, 4),
        "torso": (5, 6, 11, 12),
        "left_arm": (7, 9),
        "right_arm": (8, 10),
        "left_leg": (13, 15),
        "right_leg": (14, 16),
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
    parts={
        "torso": (0, 1, 6, 7),
        "left_arm": (2, 4),
        "right_arm": (3, 5),
        "left_leg": (8, 10),
        "right_leg": (9, 11),
    },
    mirror=(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10),
)
"""The 12 body joints without the face: the skeleton behind KMPNet's five graph embeddings."""

POSETRACK15 = Skeleton(
    names=(
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
        "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
        "neck", "nose", "head_top",
    ),
    edges=(
        (0, 1), (1, 2), (5, 4), (4, 3), (2, 3), (2, 8), (3, 9), (8, 9), (8, 7), (7, 6), (9, 10), (10, 11),
        (12, 13), (13, 14), (12, 8), (12, 9),
    ),
    groups={
        "whole": tuple(range(15)),
        "upper": tuple(range(6, 15)),
        "lower": tuple(range(6)),
        "head": (12, 13, 14),
        "left_arm_right_leg": (9, 10, 11, 0, 1, 2),
        "right_arm_left_leg": (8, 7, 6, 3, 4, 5),
    },
    parts={
        "head": (12, 13, 14),
        "torso": (8, 9, 2, 3),
        "left_arm": (10, 11),
        "right_arm": (7, 6),
        "left_leg": (4, 5),
        "right_leg": (1, 0),
    },
    mirror=(5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 12, 13, 14),
)  # fmt: skip
"""PoseTrack's 15 joints in the order of its evaluation code; edges and groups after those of COCO17.

Unlike COCO17 it ties the hips to each other and the head to the shoulders: the neck is a joint here.
"""

SKELETONS = {"coco17": COCO17, "body12": BODY12, "posetrack15": POSETRACK15}
"""Skeletons by the names that configurations use."""
