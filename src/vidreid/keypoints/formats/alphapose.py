"""AlphaPose's ``alphapose-results.json``: a list of people over all images, or its two older groupings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vidreid.keypoints.formats.entries import (
    Place,
    elements,
    fields,
    joint_array,
    optional_box,
    optional_number,
    optional_track,
    short,
)
from vidreid.keypoints.formats.image_names import NamedImages
from vidreid.keypoints.formats.json_files import first_character, json_entries, read_json
from vidreid.keypoints.formats.listed_people import ListedPoses, Missing, PeopleList
from vidreid.keypoints.poses import PoseSource
from vidreid.keypoints.tool_skeletons import check_joint_count

FILE = "alphapose-results.json"

# Its models of 26, 133 and 136 joints begin with COCO's.
_JOINTS = (17, 26, 133, 136)
_GROUPS = {"bodies": "joints", "people": "pose_keypoints_2d"}


def open_alphapose(path: Path, missing: Missing, skeleton: str | None) -> PoseSource:
    """Open a results file, or the folder with it.

    The default form is a list of people with ``image_id`` (a file name), COCO's joints (of models with more
    the first 17), a box and a score that may exceed 1. The forms ``cmu`` and ``open`` are an object of
    images, each with its ``bodies`` or ``people``, in OpenPose's 18 joints. An image that is not in the file
    is one in which nobody was found.
    """
    file = path / FILE if path.is_dir() else path
    own = "openpose18" if first_character(file) == "{" else "coco17"
    skeleton = skeleton or own
    check_joint_count(skeleton, 18 if own == "openpose18" else 17, str(file))
    people = PeopleList(18 if own == "openpose18" else 17)
    if own == "openpose18":
        _add_groups(people, file)
    else:
        for number, value in enumerate(json_entries(file), start=1):
            place = Place(file, number)
            entry = fields(value, place)
            people.add(
                people.image(_name(entry.get("image_id"), place)),
                joint_array(entry.get("keypoints"), _JOINTS, place)[:17],
                box=optional_box(entry, "box", place),
                score=optional_number(entry, "score", place),
                track=optional_track(entry.get("idx")),
            )
    images = NamedImages([str(name) for name in people.images], str(file))
    return ListedPoses(skeleton, people, images, str(file))


def _add_groups(people: PeopleList, file: Path) -> None:
    for number, (name, image) in enumerate(fields(read_json(file), Place(file)).items(), start=1):
        place = Place(file, number, "image")
        row = people.image(name)
        for joints in _joints_of(fields(image, place), place):
            people.add(row, joint_array(joints, 18, place, "joints"))


def _joints_of(image: dict[str, Any], place: Place) -> Iterator[Any]:
    for group, key in _GROUPS.items():
        if group in image:
            for person in elements(image[group], group, place):
                yield fields(person, place).get(key)
            return
    raise place.wrong("there are neither bodies nor people: this is no file of AlphaPose")


def _name(value: Any, place: Place) -> str:
    if not isinstance(value, str) or not value:
        raise place.wrong(f"image_id is {short(value)} instead of a file name: this is no file of AlphaPose")
    return value
