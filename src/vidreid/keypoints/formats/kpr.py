"""KPR's JSON of a crop: a list of skeletons, each told to be the target or not."""

from pathlib import Path

from vidreid.errors import DataError
from vidreid.keypoints.formats.entries import (
    Place,
    cleaned,
    elements,
    fields,
    joint_array,
    says_something,
    short,
)
from vidreid.keypoints.formats.image_files import ImageFiles
from vidreid.keypoints.formats.json_files import read_json
from vidreid.keypoints.formats.listed_people import Missing
from vidreid.keypoints.poses import Pose, PoseSource
from vidreid.keypoints.tool_skeletons import find_skeleton

_EARS = slice(3, 5)


def open_kpr(path: Path, missing: Missing, skeleton: str | None) -> PoseSource:
    """Open a folder of ``<stem>.json`` files, or one of them.

    The files do not say what the joints are. The published ones hold PoseTrack's 17 slots (the neck in the
    second, the top of the head in the third, no ears), which is the default; a file with ears is refused
    then, because its joints are COCO's: ``skeleton="coco17"``.
    """
    skeleton = skeleton or "posetrack17"
    joints = len(find_skeleton(skeleton))

    def read(file: Path, _: tuple[int, int]) -> list[Pose]:
        people = elements(read_json(file), "what it holds", Place(file))
        poses = [_person(person, joints, Place(file, n)) for n, person in enumerate(people, start=1)]
        if skeleton == "posetrack17" and any((pose.keypoints[_EARS, 2] > 0).any() for pose in poses):
            raise DataError(
                f"{file} has ears, which PoseTrack's joints lack: open these files with skeleton=coco17."
            )
        return [pose for pose in poses if says_something(pose)]

    return ImageFiles(path, (".json",), read, skeleton, missing)


def _person(value: object, joints: int, place: Place) -> Pose:
    person = fields(value, place)
    target = person.get("is_target")
    if target is not None and not isinstance(target, bool):
        raise place.wrong(f"is_target is {short(target)} instead of true or false: write the file anew")
    return Pose(cleaned(joint_array(person.get("keypoints"), joints, place)), is_target=target)
