"""Label text of ultralytics' pose models: one line a person, everything as a share of the image."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidreid.errors import DataError
from vidreid.keypoints.formats.entries import Place, box, cleaned, optional_track, says_something, short
from vidreid.keypoints.formats.image_files import ImageFiles
from vidreid.keypoints.formats.listed_people import Missing
from vidreid.keypoints.poses import Pose, PoseSource
from vidreid.keypoints.tool_skeletons import find_skeleton

_BEFORE = 5  # class, x and y of the centre, width, height


def open_ultralytics(path: Path, missing: Missing, skeleton: str | None) -> PoseSource:
    """Open a folder of ``<stem>.txt`` files, or one of them.

    A line is class, centre, width and height of the box, then x and y of each joint and, but for models of
    two dimensions, its confidence; score and track may follow, as predictions are saved with them. Without
    confidences a joint at 0, 0 is missing and all others are sure. A file with a 2 among them is a label of
    visibilities: 2 is sure, 1 (hidden) counts half. No file is written about an image without anybody.

    Joints are COCO's 17 unless ``skeleton`` says otherwise.
    """
    skeleton = skeleton or "coco17"
    joints = len(find_skeleton(skeleton))

    def read(file: Path, size: tuple[int, int]) -> list[Pose]:
        lines = _lines(file, joints)
        labels = any((line.joints[:, 2] == 2).any() for line in lines)
        found = [line.pose(size, labels) for line in lines]
        return [pose for pose in found if says_something(pose)]

    return ImageFiles(path, (".txt",), read, skeleton, missing)


class _Line:
    """The numbers of a person."""

    def __init__(self, numbers: NDArray[np.float64], joints: int, place: Place) -> None:
        for width in (3, 2):
            rest = len(numbers) - _BEFORE - width * joints
            if 0 <= rest <= 2:
                break
        else:
            raise place.wrong(
                f"there are {len(numbers)} numbers, which is no box with {joints} joints: these are "
                "keypoints of another kind"
            )
        self.box = numbers[1:_BEFORE]
        joint_numbers = numbers[_BEFORE : len(numbers) - rest].reshape(joints, width)
        seen = (joint_numbers != 0).any(axis=1, keepdims=True).astype(np.float64)
        self.joints = joint_numbers if width == 3 else np.concatenate([joint_numbers, seen], axis=1)
        self.score, self.track = _tail(numbers[len(numbers) - rest :])
        self.place = place

    def pose(self, size: tuple[int, int], labels: bool) -> Pose:
        """Return the person in pixels of an image of a height and width."""
        height, width = size
        joints = self.joints * [width, height, 0.5 if labels else 1.0]
        cx, cy, w, h = self.box * [width, height, width, height]
        rectangle = box(np.array([cx - w / 2, cy - h / 2, w, h]), "the box", self.place)
        return Pose(cleaned(joints), box=rectangle, score=self.score, track=self.track)


def _tail(rest: NDArray[np.float64]) -> tuple[float | None, int | None]:
    """Return score and track of what follows the joints; a single number up to 1 is a score."""
    numbers: list[float] = rest.tolist()
    if len(numbers) == 2:
        return numbers[0] if np.isfinite(numbers[0]) else None, optional_track(numbers[1])
    if len(numbers) == 1:
        return (numbers[0], None) if numbers[0] <= 1 else (None, optional_track(numbers[0]))
    return None, None


def _lines(file: Path, joints: int) -> list[_Line]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as text ({error}): write it anew.") from error
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        place = Place(file, number, "line")
        try:
            numbers = np.array([float(word) for word in line.split()])
        except ValueError:
            raise place.wrong(f"{short(line)} is no line of numbers: write the file anew") from None
        lines.append(_Line(numbers, joints, place))
    return lines
