"""Keypoints in a CSV table: one row an image, its name and x, y, confidence of each joint."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vidreid.errors import DataError
from vidreid.keypoints.formats.entries import Place, short
from vidreid.keypoints.formats.image_names import NamedImages
from vidreid.keypoints.formats.listed_people import ListedPoses, Missing, PeopleList
from vidreid.keypoints.poses import PoseSource
from vidreid.keypoints.tool_skeletons import find_skeleton


def open_pose_table(path: Path, missing: Missing, skeleton: str | None) -> PoseSource:
    """Open a CSV file.

    A first row whose second cell is no number is a heading. An image may have several rows, one a person.
    Empty cells and ``nan`` are no numbers, so that their joint is missing. Joints are COCO's 17 unless
    ``skeleton`` says otherwise.
    """
    skeleton = skeleton or "coco17"
    joints = len(find_skeleton(skeleton))
    people = PeopleList(joints)
    for place, (name, *cells) in _rows(path):
        if len(cells) != 3 * joints:
            raise place.wrong(
                f"there are {len(cells)} cells after the name instead of {3 * joints} ({joints} joints of x, "
                "y and confidence): these are keypoints of another kind"
            )
        try:
            numbers = np.array([float(cell) if cell.strip() else np.nan for cell in cells])
        except ValueError as error:
            raise place.wrong(f"a cell is no number ({error}): write the table anew") from None
        people.add(people.image(name.strip()), numbers.reshape(joints, 3))
    images = NamedImages([str(name) for name in people.images], str(path))
    return ListedPoses(skeleton, people, images, str(path), missing)


def _rows(path: Path) -> Iterator[tuple[Place, list[str]]]:
    """Yield the rows that are not empty, without a heading."""
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                heading = number == 1 and len(row) > 1 and not _is_number(row[1])
                if row and not heading:
                    yield Place(path, number, "row"), row
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a table ({short(str(error))}): write it anew.") from error


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True
