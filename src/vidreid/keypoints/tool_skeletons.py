"""Skeletons of annotations and pose tools beside COCO's, and all of them by name."""

from vidreid.keypoints.skeleton import BODY12, COCO17, POSETRACK15, Skeleton

POSETRACK17 = Skeleton(
    names=("nose", "neck", "head_top", "left_ear", "right_ear", *COCO17.names[5:]),
    edges=(
        (0, 1), (0, 2), (1, 5), (1, 6), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (11, 12),
        (5, 11), (11, 13), (13, 15), (6, 12), (12, 14), (14, 16),
    ),
    groups={},
    parts={},
    mirror=(*COCO17.mirror[:1], 1, 2, *COCO17.mirror[3:]),
)  # fmt: skip
"""Slots of PoseTrack18 and 21, where the neck is called head_bottom and the ears are never annotated."""

OPENPOSE18 = Skeleton(
    names=(
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist",
        "left_shoulder", "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle",
        "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear",
    ),
    edges=(
        (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
        (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
    ),
    groups={},
    parts={},
    mirror=(0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16),
)  # fmt: skip
"""OpenPose's 18 joints: COCO's in another order, and the neck."""

BLAZEPOSE33 = Skeleton(
    names=(
        "nose", "left_eye_inner", "left_eye", "left_eye_outer",
        "right_eye_inner", "right_eye", "right_eye_outer", "left_ear", "right_ear",
        "left_mouth", "right_mouth",
        "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
        "left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb",
        "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
        "left_heel", "right_heel", "left_foot_index", "right_foot_index",
    ),
    edges=(
        (0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10), (11, 12),
        (11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19),
        (12, 14), (14, 16), (16, 18), (16, 20), (16, 22), (18, 20), (11, 23), (12, 24), (23, 24),
        (23, 25), (25, 27), (27, 29), (27, 31), (29, 31), (24, 26), (26, 28), (28, 30), (28, 32), (30, 32),
    ),
    groups={},
    parts={},
    mirror=(
        0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15, 18, 17, 20, 19, 22, 21, 24, 23, 26, 25,
        28, 27, 30, 29, 32, 31,
    ),
)  # fmt: skip
"""The 33 landmarks of BlazePose (MediaPipe Pose)."""

ALL_SKELETONS: dict[str, Skeleton] = {
    "coco17": COCO17,
    "body12": BODY12,
    "posetrack15": POSETRACK15,
    "posetrack17": POSETRACK17,
    "openpose18": OPENPOSE18,
    "blazepose33": BLAZEPOSE33,
}
"""Every skeleton that keypoints are read in. Graphs and parts need those of ``SKELETONS``."""


def find_skeleton(name: str) -> Skeleton:
    """Return a skeleton.

    Raises:
        ValueError: If there is none of this name; the sentence lists the choices.
    """
    if name not in ALL_SKELETONS:
        raise ValueError(f"Unknown skeleton {name!r}: choose one of {', '.join(ALL_SKELETONS)}.")
    return ALL_SKELETONS[name]


def check_joint_count(name: str, joints: int, where: str) -> None:
    """Refuse a skeleton that cannot be that of files with so many joints.

    Raises:
        ValueError: If it has another number of joints.
    """
    if len(find_skeleton(name)) != joints:
        raise ValueError(f"{where} hold {joints} joints, and {name} has {len(find_skeleton(name))}.")
