"""COCO's keypoint annotations, and PoseTrack's, which are of the same form."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidreid.errors import DataError
from vidreid.keypoints.formats.coco_images import image_named, image_names
from vidreid.keypoints.formats.entries import (
    Place,
    elements,
    fields,
    joint_array,
    number_array,
    optional_box,
    optional_number,
    optional_track,
)
from vidreid.keypoints.formats.image_names import NamedImages
from vidreid.keypoints.formats.json_files import read_json
from vidreid.keypoints.formats.listed_people import ListedPoses, Missing, PeopleList
from vidreid.keypoints.formats.told_skeletons import agreed_skeleton, told_skeleton
from vidreid.keypoints.poses import PoseSource
from vidreid.keypoints.tool_skeletons import find_skeleton

SCORES = "keypoint_scores"
"""Where our own COCO files keep confidences, which the format has no place for."""


class Dialect(NamedTuple):
    """What two kinds of these files do not share.

    Attributes:
        skeleton: Joints where the categories do not name them.
        scores: Key of an annotation's confidences.
        tracks: Keys of a person's number, the best first.
    """

    skeleton: str
    scores: str
    tracks: tuple[str, ...]


_COCO = Dialect("coco17", SCORES, ("track_id",))


class _Document:
    """One file."""

    def __init__(self, file: Path) -> None:
        whole = Place(file)
        self.file = file
        content = fields(read_json(file), whole)
        if "images" not in content or "annotations" not in content:
            raise whole.wrong("it has no images and annotations: this is a file of another format")
        self.annotations = elements(content["annotations"], "annotations", whole)
        self.names = image_names(content, file)
        categories = [
            fields(category, whole)
            for category in elements(content.get("categories") or [], "categories", whole)
        ]
        told = [category for category in categories if category.get("keypoints")]
        self.skeleton = told_skeleton(told[0]["keypoints"], whole) if told else None
        # Cars and dogs have no keypoints, or others.
        others = [category.get("id") for category in categories if told and category is not told[0]]
        self.other_categories = [category for category in others if isinstance(category, int)]

    def people(self) -> Iterator[tuple[dict[str, Any], Place]]:
        """Yield the annotations of single people."""
        for number, value in enumerate(self.annotations, start=1):
            place = Place(self.file, number, "annotation")
            annotation = fields(value, place)
            crowd = annotation.get("iscrowd") in (1, True)
            if not crowd and annotation.get("category_id") not in self.other_categories:
                yield annotation, place


def open_coco(path: Path, missing: Missing, skeleton: str | None) -> PoseSource:
    """Open a JSON file with ``images`` and ``annotations``.

    The third number of a joint is its visibility: 0 is missing, 1 (hidden) has confidence 0.5, 2 has 1. In a
    file without any 2, 1 is sure; in a file with fractions, the numbers are confidences. The confidences that
    ``write_coco`` puts beside them come first. Crowds are left out. An image that is listed without people
    has nobody in it; of one that is not listed nothing is known.

    The joints are those that the category names, else COCO's.
    """
    return open_annotations([path], missing, skeleton, _COCO, str(path))


def open_annotations(
    files: Sequence[Path], missing: Missing, wanted: str | None, dialect: Dialect, where: str
) -> PoseSource:
    """Open files of images and annotations, at least one, that speak of different images.

    Raises:
        DataError: If they are of another form, have other joints each, or speak of the same image.
    """
    documents = [_Document(file) for file in files]
    skeletons = [agreed_skeleton(d.skeleton, wanted, dialect.skeleton, Place(d.file)) for d in documents]
    skeleton = skeletons[0]
    if len(set(skeletons)) > 1:
        other = next(place for place, one in enumerate(skeletons) if one != skeleton)
        raise DataError(
            f"{files[0]} has the joints of {skeleton} and {files[other]} those of {skeletons[other]}: open "
            "them one by one."
        )
    joints = len(find_skeleton(skeleton))
    people = PeopleList(joints)
    scored: list[bool] = []
    named: dict[str, Path] = {}
    for document in documents:
        file = document.file
        for name in document.names.values():
            if named.setdefault(name, file) != file:
                raise DataError(
                    f"{file} and {named[name]} both speak of {name}: keep one, or open them one by one."
                )
            people.image(name)
        for annotation, place in document.people():
            image = image_named(annotation.get("image_id"), document.names, place)
            keypoints = joint_array(annotation.get("keypoints"), joints, place)
            scored.append(_take_scores(annotation, dialect.scores, keypoints, place))
            people.add(
                people.image(image),
                keypoints,
                box=optional_box(annotation, "bbox", place),
                score=optional_number(annotation, "score", place),
                track=_track(annotation, dialect.tracks),
            )
    _confidences(people.keypoints()[..., 2], np.array(scored, dtype=bool))
    images = NamedImages([str(name) for name in people.images], where)
    return ListedPoses(skeleton, people, images, where, missing)


def _track(annotation: dict[str, Any], keys: Sequence[str]) -> int | None:
    tracks = (optional_track(annotation.get(key)) for key in keys)
    return next((track for track in tracks if track is not None), None)


def _take_scores(annotation: dict[str, Any], key: str, keypoints: NDArray[np.float64], place: Place) -> bool:
    """Put the confidences beside the joints in their place, if there are some, and tell so."""
    if not annotation.get(key):
        return False
    scores = number_array(annotation[key], key, place)
    if len(scores) != len(keypoints):
        raise place.wrong(f"{key} are {len(scores)} numbers for {len(keypoints)} joints: write the file anew")
    keypoints[:, 2] = np.where(keypoints[:, 2] > 0, scores, 0.0)
    return True


def _confidences(numbers: NDArray[np.float32], scored: NDArray[np.bool_]) -> None:
    """Turn the visibilities ``(people, K)`` of those who have no scores into confidences, in place."""
    told = numbers[~scored]
    if not (told % 1 > 0).any() and (told == 2).any():
        numbers[~scored] = told / 2
