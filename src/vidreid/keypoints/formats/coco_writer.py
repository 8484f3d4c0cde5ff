"""Writing keypoints as a COCO file of ground truth."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidreid.files import write_whole
from vidreid.keypoints.choice import joints_box
from vidreid.keypoints.formats.coco import SCORES
from vidreid.keypoints.poses import Pose
from vidreid.keypoints.tool_skeletons import find_skeleton

_PERSON = 1
# Up to this a joint is written as hidden, which is read as this.
_HIDDEN_CONFIDENCE = 0.5
_POSETRACK_NAMES = {"neck": "head_bottom"}


class CocoImage(NamedTuple):
    """An image that people are in.

    Attributes:
        file_name: Its path below the folder of the images.
        height: In pixels.
        width: In pixels.
    """

    file_name: str
    height: int
    width: int


def write_coco(
    path: str | Path,
    images: Sequence[CocoImage],
    poses: Iterable[Sequence[Pose]],
    skeleton: str = "coco17",
) -> None:
    """Write images and their people as one COCO JSON file, whole or not at all.

    Coordinates have 2 decimals and confidences 4; a joint whose confidence is 0 then is missing. The format
    has visibilities only: 2, or 1 (hidden) up to confidence 0.5, so the confidences stand beside the joints
    as ``keypoint_scores``, which other readers pass over. A person without a box gets that of the joints, and
    one without either is left out.

    Args:
        path: The file.
        images: All images, also those without anybody.
        poses: The people of each image, one after another; never all in memory.
        skeleton: Joints of the poses: ``coco17`` or ``posetrack17``.

    Raises:
        ValueError: If there are more or fewer ``poses`` than images, or the skeleton is another.
    """
    if skeleton not in ("coco17", "posetrack17"):
        raise ValueError(f"COCO files are written of coco17 or posetrack17, not of {skeleton!r}.")
    head: dict[str, Any] = {
        "info": {"description": "keypoints written by vidreid", "version": "1.0"},
        "licenses": [],
        "categories": [_category(skeleton)],
        "images": [{"id": n, **image._asdict()} for n, image in enumerate(images, start=1)],
    }
    with write_whole(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        # The annotations go out one by one: a million of them would not fit as one text.
        file.write(json.dumps(head, allow_nan=False)[:-1] + ', "annotations": [')
        number = 0
        for image, (_, people) in enumerate(zip(images, poses, strict=True), start=1):
            for annotation in filter(None, map(_annotation, people)):
                number += 1
                file.write(",\n" if number > 1 else "\n")
                file.write(json.dumps({"id": number, "image_id": image, **annotation}, allow_nan=False))
        file.write("\n]}\n")


def rounded_joints(keypoints: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return joints ``(K, 3)`` with 2 decimals and confidences with 4; without confidence all zero."""
    joints = np.concatenate([keypoints[:, :2].round(2), keypoints[:, 2:].round(4)], axis=1)
    joints[joints[:, 2] <= 0] = 0.0
    return joints


def rounded_box(pose: Pose) -> list[float] | None:
    """Return x, y, width and height with 2 decimals, of the joints where there is no box."""
    rectangle = pose.box or joints_box(pose)
    return None if rectangle is None else [round(float(number), 2) for number in rectangle]


def _annotation(pose: Pose) -> dict[str, Any] | None:
    rectangle = rounded_box(pose)
    if rectangle is None:
        return None
    joints = rounded_joints(pose.keypoints)
    there = joints[:, 2] > 0
    seen = np.where(there, 1 + (joints[:, 2] > _HIDDEN_CONFIDENCE), 0)
    triples = zip(joints[:, 0].tolist(), joints[:, 1].tolist(), seen.tolist(), strict=True)
    annotation: dict[str, Any] = {
        "category_id": _PERSON,
        "iscrowd": 0,
        "bbox": rectangle,
        "area": round(rectangle[2] * rectangle[3], 2),
        "segmentation": [],
        "num_keypoints": int(there.sum()),
        "keypoints": [number for triple in triples for number in triple],
        SCORES: joints[:, 2].tolist(),
    }
    if pose.score is not None:
        annotation["score"] = round(float(pose.score), 4)
    if pose.track is not None:
        annotation["track_id"] = pose.track
    return annotation


def _category(skeleton: str) -> dict[str, Any]:
    found = find_skeleton(skeleton)
    return {
        "supercategory": "person",
        "id": _PERSON,
        "name": "person",
        "keypoints": [_POSETRACK_NAMES.get(name, name) for name in found.names],
        # COCO counts joints from 1 here.
        "skeleton": [[one + 1, other + 1] for one, other in found.edges],
    }
