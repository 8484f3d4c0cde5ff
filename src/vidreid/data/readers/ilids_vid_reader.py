"""Reader of iLIDS-VID: 300 people in two cameras of an airport, ten splits into halves.

Source: Wang et al., ECCV 2014, and the layout of its archive.
"""

import os
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidreid.data.benchmark import Benchmark
from vidreid.data.readers.camera_pairs import CameraPair, check_cameras, read_camera_pair
from vidreid.data.readers.found_folders import find_folder
from vidreid.data.readers.mat_files import read_whole_numbers
from vidreid.data.readers.person_splits import PersonSplit, choose_split, read_split_list
from vidreid.errors import DataError, MissingDataError, reads_files

FOLDER = "sequences"
"""Folder of the two cameras, which also names the keypoint store."""
SPLIT_FILE = "train_test_splits_ilidsvid.mat"
SPLIT_FOLDER = "train-test people splits"
SPLIT_LIST = "splits.json"

ILIDS_VID = CameraPair(
    name="ilids_vid",
    title="iLIDS-VID",
    cameras=("cam1", "cam2"),
    frame=r"{camera}_{person}_(?P<frame>\d+)",
    example="cam1_person001_00317.png",
    counts={
        "splits": 10,
        "train tracklets": 300,
        "train identities": 150,
        "queries": 150,
        "gallery tracklets": 150,
    },
)
"""Names and published counts."""

_PERSON = re.compile(r"person\d+")


@reads_files
def read_ilids_vid(root: str | Path, split: int = 0, *, strict: bool = False) -> Benchmark:
    """Read one split of iLIDS-VID.

    Its split file holds positions in the **sorted** list of people: the first half of a row is test, the
    second training. Without it ``splits.json`` is taken, a list of ``{"train": [names], "test": [names]}``.

    Args:
        root: The folder that holds ``i-LIDS-VID/sequences`` or ``sequences``, and the splits.
        split: Number of the split, 0..9.
        strict: Raise if the counts differ from the published ones, instead of saying so in ``notices``.

    Raises:
        MissingDataError: If folders, frames or the splits are missing.
        DataError: If the splits are of another form, there is no such split, or a name is odd; under
            ``strict`` if the counts differ.
    """
    root = Path(root)
    folder = find_folder(root, "i-LIDS-VID", FOLDER, ILIDS_VID.title) / FOLDER
    check_cameras(ILIDS_VID, folder)
    notices: list[str] = []
    places = [root / SPLIT_FOLDER / SPLIT_FILE, root / SPLIT_FILE, folder.parent / SPLIT_FOLDER / SPLIT_FILE]
    matrix = next((place for place in places if place.is_file()), None)
    listed = root / SPLIT_LIST
    if matrix is not None:
        splits, source = read_positions(matrix, _everybody(folder)), matrix
        if listed.is_file() and not _same(listed, splits):
            notices.append(
                f"{listed} holds other splits than {matrix}, probably from a list of people that was not "
                "sorted, and is not used."
            )
    elif listed.is_file():
        splits, source = read_split_list(listed), listed
    else:
        raise MissingDataError(
            f"{root} has neither {SPLIT_FOLDER}/{SPLIT_FILE} nor {SPLIT_LIST}: unpack the splits of the "
            "archive of iLIDS-VID there."
        )
    _check_people(splits, source)
    chosen = choose_split(splits, split, source)
    return read_camera_pair(ILIDS_VID, root, folder, splits, chosen, strict=strict, notices=notices)


def read_positions(path: Path, names: list[str]) -> list[PersonSplit]:
    """Read the split file: one row a split, 1-based positions in the sorted list of people.

    Args:
        path: ``train_test_splits_ilidsvid.mat``, whose variable ``ls_set`` is ``(splits, people)``.
        names: The people, sorted.

    Raises:
        DataError: If it is of another form or does not fit the number of people.
    """
    rows = read_whole_numbers(path, "ls_set", "the splits of iLIDS-VID")
    if rows.ndim != 2 or rows.shape[1] % 2:
        raise DataError(
            f"{path}: ls_set has shape {rows.shape} instead of (10, 300): take the file of the data set."
        )
    if rows.shape[1] != len(names):
        raise DataError(
            f"{path}: ls_set has shape {rows.shape}, one column a person, but {len(names)} people have "
            "folders, and its numbers are places among them: unpack iLIDS-VID anew."
        )
    positions = rows - 1
    wrong = (np.sort(positions, axis=1) != np.arange(len(names))).any(axis=1)
    if wrong.any():
        raise DataError(
            f"{path}: row {int(np.argmax(wrong)) + 1} of ls_set does not hold each of 1..{len(names)} once: "
            "take the file of the data set."
        )
    half = len(names) // 2
    return [PersonSplit(_named(row[half:], names), _named(row[:half], names)) for row in positions]


def _everybody(folder: Path) -> list[str]:
    """Return the sorted names of the people, who must be the same in both cameras."""
    names = [
        {entry.name for entry in os.scandir(folder / camera) if entry.is_dir()}
        for camera in ILIDS_VID.cameras
    ]
    names = [{name for name in found if _PERSON.fullmatch(name)} for found in names]
    different = sorted(names[0] ^ names[1])
    if different:
        lacking = ILIDS_VID.cameras[different[0] in names[0]]
        raise MissingDataError(
            f"There is no folder {folder / lacking / different[0]}, but one of the other camera: the splits "
            "count people who have both; unpack iLIDS-VID anew."
        )
    return sorted(names[0])


def _named(positions: NDArray[np.int64], names: list[str]) -> tuple[str, ...]:
    return tuple(names[position] for position in sorted(positions.tolist()))


def _same(listed: Path, splits: list[PersonSplit]) -> bool:
    """Tell whether a list holds these splits; a file of another form does not."""
    try:
        return read_split_list(listed) == splits
    except ValueError:
        return False


def _check_people(splits: list[PersonSplit], source: Path) -> None:
    for number, split in enumerate(splits):
        odd = next((name for half in split for name in half if not _PERSON.fullmatch(name)), None)
        if odd is not None:
            raise DataError(f"{source}, split {number}: {odd!r} is no name such as person001: correct it.")
