"""Writing keypoints as OpenPifPaf does."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from vidreid.files import build_folder_whole
from vidreid.keypoints.choice import pose_score
from vidreid.keypoints.formats.coco_writer import rounded_box, rounded_joints
from vidreid.keypoints.formats.openpifpaf import ENDING
from vidreid.keypoints.poses import Pose

_ABSENT = (0.0, -3.0, 0.0)
_JOINTS = 17


def write_openpifpaf(folder: str | Path, images: Sequence[str], poses: Iterable[Sequence[Pose]]) -> None:
    """Write ``<image>.predictions.json`` for each image, all of them or none.

    Coordinates have 2 decimals and confidences 4; a joint whose confidence is 0 then is missing, ``0, -3,
    0``. A person without a box gets that of the joints, one without a score the mean confidence, and one
    without joints and box is left out.

    Args:
        folder: A new folder.
        images: Path of each image below the folder of its split; the files lie likewise.
        poses: The people of each image, in COCO's 17 joints, one image after another.

    Raises:
        FileExistsError: If the folder exists and is not empty.
        ValueError: If there are more or fewer ``poses`` than images, an image's path leads out of the folder,
            or a person has other joints.
    """
    with build_folder_whole(folder) as temporary:
        for image, people in zip(images, poses, strict=True):
            parts = PurePosixPath(image)
            if parts.is_absolute() or ".." in parts.parts or not parts.name:
                raise ValueError(f"{image!r} is no path below a folder of images.")
            file = temporary / f"{image}{ENDING}"
            file.parent.mkdir(parents=True, exist_ok=True)
            found = [person for person in map(_person, people) if person is not None]
            file.write_text(json.dumps(found, allow_nan=False), encoding="utf-8")


def _person(pose: Pose) -> dict[str, Any] | None:
    if pose.keypoints.shape != (_JOINTS, 3):
        raise ValueError(f"OpenPifPaf's files hold COCO's 17 joints, not {pose.keypoints.shape}.")
    rectangle = rounded_box(pose)
    if rectangle is None:
        return None
    joints = rounded_joints(pose.keypoints)
    numbers = np.where(joints[:, 2:] > 0, joints, _ABSENT).reshape(-1).tolist()
    person: dict[str, Any] = {
        "keypoints": numbers,
        "bbox": rectangle,
        "score": round(pose_score(pose), 4),
        "category_id": 1,
    }
    if pose.track is not None:
        person["id_"] = pose.track
    return person
