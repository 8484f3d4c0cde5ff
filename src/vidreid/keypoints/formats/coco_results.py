"""COCO's keypoint results: a flat list of people over all images."""

import re
from pathlib import Path
from typing import Any

from vidreid.errors import DataError
from vidreid.keypoints.formats.coco_images import image_named, image_names
from vidreid.keypoints.formats.entries import (
    Place,
    fields,
    joint_array,
    optional_box,
    optional_number,
    optional_track,
    short,
)
from vidreid.keypoints.formats.image_names import NamedImages, NumberedImages
from vidreid.keypoints.formats.json_files import first_character, json_entries, read_json
from vidreid.keypoints.formats.listed_people import ListedPoses, Missing, PeopleList
from vidreid.keypoints.poses import PoseSource
from vidreid.keypoints.tool_skeletons import find_skeleton

# 000000000785, COCO_val2014_000000000785
_COCO_NAME = re.compile(r"(?:.*_)?([0-9]{12})|([0-9]{1,18})")


def open_coco_results(path: Path, missing: Missing, skeleton: str | None) -> PoseSource:
    """Open a JSON list of ``image_id``, ``keypoints`` and ``score``.

    Args:
        path: The list, whose ``image_id`` are file names, or the numbers of images that are called after them
            as COCO's are (``000000000785.jpg``); or a folder with the list and the JSON file with ``images``
            (the ground truth) that says which file each number is.
        missing: Says what happens with an image that is not among those of the ground truth. Without one, an
            image that is not in the list is one in which nobody was found.
        skeleton: The joints, by default COCO's 17.
    """
    results, truth = _both(path) if path.is_dir() else (path, None)
    names = None if truth is None else image_names(fields(read_json(truth), Place(truth)), truth)
    skeleton = skeleton or "coco17"
    joints = len(find_skeleton(skeleton))
    people = PeopleList(joints)
    for name in (names or {}).values():
        people.image(name)
    for number, value in enumerate(json_entries(results), start=1):
        place = Place(results, number)
        entry = fields(value, place)
        key = entry.get("image_id")
        people.add(
            people.image(_checked(key, place) if names is None else image_named(key, names, place)),
            joint_array(entry.get("keypoints"), joints, place),
            box=optional_box(entry, "bbox", place),
            score=optional_number(entry, "score", place),
            track=optional_track(entry.get("track_id")),
        )
    keys = list(people.images)
    if names is None and any(isinstance(key, int) for key in keys):
        numbers = [key for key in keys if isinstance(key, int)]
        if len(numbers) < len(keys):
            raise Place(results).wrong("image_id is a number for some and a name for others: write it anew")
        return ListedPoses(skeleton, people, NumberedImages(numbers, _number, str(results)), str(results))
    images = NamedImages([str(key) for key in keys], str(results))
    return ListedPoses(skeleton, people, images, str(results), None if names is None else missing)


def _both(folder: Path) -> tuple[Path, Path]:
    files = sorted(folder.glob("*.json"))
    lists = [file for file in files if first_character(file) == "["]
    truths = [file for file in files if first_character(file) == "{"]
    if len(lists) != 1 or len(truths) != 1:
        raise DataError(
            f"{folder} holds {len(lists)} JSON lists and {len(truths)} JSON objects: it must hold one list "
            "of results and the one file whose images say which file each image_id is."
        )
    return lists[0], truths[0]


def _checked(key: Any, place: Place) -> int | str:
    if isinstance(key, bool) or not isinstance(key, int | str) or key == "":
        raise place.wrong(f"image_id is {short(key)} instead of a number or file name: write the file anew")
    return key


def _number(stem: str) -> int:
    found = _COCO_NAME.fullmatch(stem)
    if found is None:
        raise ValueError(
            "is not called after one: put the JSON file with the images beside the results, alone in a "
            "folder, and name the folder"
        )
    return int(found[1] or found[2])
