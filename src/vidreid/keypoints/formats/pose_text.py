"""``.pose`` files, one a frame, as a ``PoseSource``."""

from pathlib import Path

import numpy as np

from vidreid.keypoints.formats.entries import says_something
from vidreid.keypoints.formats.image_files import ImageFiles
from vidreid.keypoints.formats.listed_people import Missing
from vidreid.keypoints.pose_files import read_pose_file
from vidreid.keypoints.poses import Pose, PoseSource
from vidreid.keypoints.tool_skeletons import check_joint_count


def open_pose_text(path: Path, missing: Missing, skeleton: str | None) -> PoseSource:
    """Open a folder of ``<stem>.pose`` files, or one of them; see ``read_pose_file``.

    The files do not say what the 17 joints are: COCO's unless ``skeleton`` says ``posetrack17``.
    """
    skeleton = skeleton or "coco17"
    check_joint_count(skeleton, 17, ".pose files")

    def read(file: Path, _: tuple[int, int]) -> list[Pose]:
        pose = Pose(read_pose_file(file).astype(np.float64))
        return [pose] if says_something(pose) else []

    return ImageFiles(path, (".pose",), read, skeleton, missing)
