"""OpenPifPaf's ``<image>.predictions.json``: a list of people for one image."""

from pathlib import Path

from vidreid.keypoints.formats.entries import (
    Place,
    cleaned,
    elements,
    fields,
    joint_array,
    optional_box,
    optional_number,
    optional_track,
    says_something,
)
from vidreid.keypoints.formats.image_files import ImageFiles
from vidreid.keypoints.formats.json_files import read_json
from vidreid.keypoints.formats.listed_people import Missing
from vidreid.keypoints.poses import Pose, PoseSource
from vidreid.keypoints.tool_skeletons import find_skeleton

ENDING = ".predictions.json"


def open_openpifpaf(path: Path, missing: Missing, skeleton: str | None) -> PoseSource:
    """Open a folder of ``<image>.predictions.json`` or ``<stem>.json`` files, or one of them.

    Joints are COCO's 17 unless ``skeleton`` says otherwise. A missing joint is ``0, -3, 0`` or ``0, 0, 0``:
    its confidence tells.
    """
    skeleton = skeleton or "coco17"
    joints = len(find_skeleton(skeleton))

    def read(file: Path, _: tuple[int, int]) -> list[Pose]:
        people = elements(read_json(file), "what it holds", Place(file))
        found = [_person(person, joints, Place(file, n)) for n, person in enumerate(people, start=1)]
        return [pose for pose in found if says_something(pose)]

    return ImageFiles(path, (ENDING, ".json"), read, skeleton, missing)


def _person(value: object, joints: int, place: Place) -> Pose:
    person = fields(value, place)
    return Pose(
        cleaned(joint_array(person.get("keypoints"), joints, place)),
        box=optional_box(person, "bbox", place),
        score=optional_number(person, "score", place),
        track=optional_track(person.get("id_")),
    )
