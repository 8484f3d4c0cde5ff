"""The files of any pose tool, by the name of their format."""

from collections.abc import Callable
from pathlib import Path

from vidreid.errors import MissingDataError
from vidreid.keypoints.formats.alphapose import open_alphapose
from vidreid.keypoints.formats.coco import open_coco
from vidreid.keypoints.formats.coco_results import open_coco_results
from vidreid.keypoints.formats.kpr import open_kpr
from vidreid.keypoints.formats.listed_people import Missing, checked_missing
from vidreid.keypoints.formats.mmpose import open_mmpose
from vidreid.keypoints.formats.openpifpaf import open_openpifpaf
from vidreid.keypoints.formats.pose_table import open_pose_table
from vidreid.keypoints.formats.pose_text import open_pose_text
from vidreid.keypoints.formats.posetrack import open_posetrack
from vidreid.keypoints.formats.ultralytics import open_ultralytics
from vidreid.keypoints.poses import PoseSource
from vidreid.keypoints.tool_skeletons import find_skeleton

FORMATS: dict[str, Callable[[Path, Missing, str | None], PoseSource]] = {
    "openpifpaf": open_openpifpaf,
    "alphapose": open_alphapose,
    "coco": open_coco,
    "coco_results": open_coco_results,
    "posetrack": open_posetrack,
    "mmpose": open_mmpose,
    "ultralytics": open_ultralytics,
    "kpr": open_kpr,
    "pose": open_pose_text,
    "csv": open_pose_table,
}
"""What opens the files of each format."""


def open_pose_files(
    path: str | Path, format: str, missing: str = "error", *, skeleton: str | None = None
) -> PoseSource:
    """Open the files of a pose tool.

    Files that speak of many images are read now, those of one image when it is asked for.

    Args:
        path: A file or folder, as the format has it.
        format: A name of ``FORMATS``.
        missing: What happens with an image of which nothing is written where it should be: ``error``, or
            ``nobody``, it has nobody in it. Formats that list only people (``alphapose``, ``coco_results``)
            always mean the latter.
        skeleton: What the joints are, a name of ``ALL_SKELETONS``; by default what the files tell, or what
            the format has by default.

    Returns:
        Poses by image. An image is found by its path below the folder of its split, else by its file name
        where that is the only one.

    Raises:
        ValueError: If ``format``, ``missing`` or ``skeleton`` is none of the choices.
        MissingDataError: If there is no such file or folder.
        DataError: If what is read now is damaged or of another format.
    """
    if format not in FORMATS:
        raise ValueError(f"Unknown format of keypoints {format!r}: choose one of {', '.join(FORMATS)}.")
    handled = checked_missing(missing)
    if skeleton is not None:
        find_skeleton(skeleton)
    path = Path(path)
    if not path.exists():
        raise MissingDataError(f"There is no {path}: name the file or folder that the pose tool wrote.")
    return FORMATS[format](path, handled, skeleton)
