"""MMPose's and RTMPose's JSON: a file an image, or one of all frames of a video."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidreid.keypoints.formats.entries import (
    Place,
    box,
    cleaned,
    elements,
    fields,
    joint_array,
    number_array,
    optional_number,
    optional_track,
    says_something,
    short,
)
from vidreid.keypoints.formats.image_files import ImageFiles
from vidreid.keypoints.formats.image_names import NumberedImages
from vidreid.keypoints.formats.json_files import read_json
from vidreid.keypoints.formats.listed_people import ListedPoses, Missing, PeopleList
from vidreid.keypoints.formats.told_skeletons import agreed_skeleton, told_skeleton
from vidreid.keypoints.poses import Pose, PoseSource
from vidreid.keypoints.tool_skeletons import find_skeleton

_PREFIX = "results_"


def open_mmpose(path: Path, missing: Missing, skeleton: str | None) -> PoseSource:
    """Open a folder of ``<stem>.json`` or ``results_<stem>.json``, or one file.

    A file holds a list of instances, bare or as ``instance_info`` beside ``meta_info``. A file with frames
    (``frame_id``, ``instances``) is that of one video: the frame of an image is the last number in its file
    name, as ``F012`` in MARS, so that all images asked for must be of one folder.

    Confidences stand apart (``keypoint_scores``) and may exceed 1. Boxes are left, top, right and bottom,
    within a further list. The joints are those that ``meta_info`` names, else COCO's.
    """
    if not path.is_dir():
        told, entries = _content(path)
        if entries and all(isinstance(entry, dict) and "instances" in entry for entry in entries):
            chosen = agreed_skeleton(told, skeleton, "coco17", Place(path))
            return _video(path, entries, chosen, missing)
    chosen = skeleton or "coco17"

    def read(file: Path, _: tuple[int, int]) -> list[Pose]:
        told, entries = _content(file)
        if told not in (None, chosen):
            raise Place(file).wrong(f"its joints are those of {told}: open these files with skeleton={told}")
        if len(entries) == 1 and isinstance(entries[0], dict) and "instances" in entries[0]:
            entries = elements(entries[0]["instances"], "instances", Place(file))
        poses = [_person(e, chosen, Place(file, n, "instance")) for n, e in enumerate(entries, start=1)]
        return [pose for pose in poses if says_something(pose)]

    return ImageFiles(path, (".json",), read, chosen, missing, prefix=_PREFIX)


def _video(path: Path, frames: list[Any], skeleton: str, missing: Missing) -> PoseSource:
    people = PeopleList(len(find_skeleton(skeleton)))
    for number, frame in enumerate(frames, start=1):
        place = Place(path, number, "frame")
        frame_id = frame.get("frame_id")
        if type(frame_id) is not int or frame_id in people.images:
            raise place.wrong(f"frame_id is {short(frame_id)}, no number of its own: write the file anew")
        image = people.image(frame_id)
        for instance in elements(frame["instances"], "instances", place):
            joints, rectangle, score, track = _values(instance, skeleton, place)
            people.add(image, joints, rectangle, score, track)
    numbers = [number for number in people.images if isinstance(number, int)]
    return ListedPoses(skeleton, people, NumberedImages(numbers, _last_number, str(path)), str(path), missing)


def _content(file: Path) -> tuple[str | None, list[Any]]:
    """Return the skeleton that a file names, if it does, and its instances or frames."""
    place = Place(file)
    content = read_json(file)
    if not isinstance(content, dict):
        return None, elements(content, "what it holds", place)
    names = fields(content.get("meta_info") or {}, place).get("keypoint_id2name")
    if isinstance(names, dict):
        names = [names.get(str(number)) for number in range(len(names))]
    return told_skeleton(names, place), elements(content.get("instance_info"), "instance_info", place)


def _person(value: Any, skeleton: str, place: Place) -> Pose:
    joints, rectangle, score, track = _values(value, skeleton, place)
    return Pose(cleaned(joints), rectangle, score, track=track)


def _values(
    value: Any, skeleton: str, place: Place
) -> tuple[NDArray[np.float64], tuple[float, float, float, float] | None, float | None, int | None]:
    instance = fields(value, place)
    joints = len(find_skeleton(skeleton))
    positions = joint_array(instance.get("keypoints"), joints, place, width=2)
    scores = joint_array(instance.get("keypoint_scores"), joints, place, "keypoint_scores", width=1)
    return (
        np.concatenate([positions, scores], axis=1),
        _box(instance.get("bbox"), place),
        optional_number(instance, "bbox_score", place),
        optional_track(instance.get("track_id")),
    )


def _box(value: Any, place: Place) -> tuple[float, float, float, float] | None:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None or value == []:
        return None
    corners = number_array(value, "bbox", place)
    if len(corners) != 4:
        raise place.wrong(f"bbox is {short(value)} instead of left, top, right and bottom")
    return box(np.concatenate([corners[:2], corners[2:] - corners[:2]]), "bbox", place)


def _last_number(stem: str) -> int:
    found = re.findall(r"[0-9]+", stem)
    if not found or len(found[-1]) > 18:
        raise ValueError("has none in its file name: name the frames by their numbers")
    return int(found[-1])
