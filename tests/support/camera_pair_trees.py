"""Tiny trees in the formats of iLIDS-VID and PRID2011 with noise for pictures, for tests that break them."""

import json
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

ILIDS_PEOPLE = (1, 2, 5, 9, 10, 14, 88, 123, 200, 201, 317, 319)
"""Numbers with gaps, as in the data set."""
PRID_PEOPLE = (1, 2, 3, 7, 12, 13, 14, 16, 17, 23, 27, 30)
"""The first of those in the published splits."""
PRID_OTHERS = {"cam_a": (6, 19, 201), "cam_b": (6, 19, 202, 400)}
"""People on disk whom no split names."""

SplitForm = Literal["mat", "list", "both", "none"]


def frames_of(person: int, camera: int) -> list[int]:
    """Frame numbers of a tracklet; those of iLIDS-VID begin anywhere, and none is a run of one length."""
    first = 1 + 13 * (person % 7)
    return [first + frame for frame in range(2 + (person + camera) % 3)]


def positions(splits: int, people: int) -> NDArray[np.uint16]:
    """Rows of ``ls_set``: 1-based, and small unsigned numbers as MATLAB may write them."""
    rng = np.random.default_rng(0)
    return np.stack([rng.permutation(people) + 1 for _ in range(splits)]).astype(np.uint16)


def ilids_halves(split: int, splits: int = 10) -> tuple[list[int], list[int]]:
    """Numbers of the people to train on and of those to test on, the slow way."""
    row = positions(splits, len(ILIDS_PEOPLE))[split].tolist()
    half = len(row) // 2
    test = [ILIDS_PEOPLE[place - 1] for place in row[:half]]
    train = [ILIDS_PEOPLE[place - 1] for place in row[half:]]
    return sorted(train), sorted(test)


def make_ilids_tree(
    root: Path, *, above: str = "i-LIDS-VID", splits: SplitForm = "mat", size: tuple[int, int] = (32, 16)
) -> Path:
    """Write the tree and return ``root``.

    Args:
        root: Where.
        above: Folder over ``sequences``; nothing for none.
        splits: In which form the splits are written.
        size: Height and width of the pictures.
    """
    rng = np.random.default_rng(0)
    for camera in (1, 2):
        # Written in another order than the sorted one, which the reader must find by itself.
        for person in rng.permutation(ILIDS_PEOPLE).tolist():
            folder = root / above / "sequences" / f"cam{camera}" / f"person{person:03d}"
            folder.mkdir(parents=True)
            for frame in reversed(frames_of(person, camera)):
                _picture(folder / f"cam{camera}_person{person:03d}_{frame:05d}.png", rng, size)
    if splits in ("mat", "both"):
        write_positions(root, positions(10, len(ILIDS_PEOPLE)))
    if splits in ("list", "both"):
        listed = [
            {"train": [f"person{p:03d}" for p in train], "test": [f"person{p:03d}" for p in test]}
            for train, test in (ilids_halves(split) for split in range(10))
        ]
        (root / "splits.json").write_text(json.dumps(listed))
    return root


def write_positions(root: Path, rows: NDArray[np.generic], variable: str = "ls_set") -> None:
    """Write the split file of iLIDS-VID."""
    folder = root / "train-test people splits"
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / "train_test_splits_ilidsvid.mat", {variable: rows})


def prid_halves(split: int) -> tuple[list[int], list[int]]:
    """Numbers of the people to train on and of those to test on."""
    order = np.random.default_rng([7, split]).permutation(PRID_PEOPLE).tolist()
    half = len(order) // 2
    return sorted(order[:half]), sorted(order[half:])


def make_prid_tree(root: Path, *, above: str = "prid_2011", size: tuple[int, int] = (32, 16)) -> Path:
    """Write the tree with ten splits and return ``root``."""
    rng = np.random.default_rng(0)
    for place, camera in enumerate(("cam_a", "cam_b"), start=1):
        for person in rng.permutation([*PRID_PEOPLE, *PRID_OTHERS[camera]]).tolist():
            folder = root / above / "multi_shot" / camera / f"person_{person:04d}"
            folder.mkdir(parents=True)
            for frame in range(len(frames_of(person, place)), 0, -1):
                _picture(folder / f"{frame:04d}.png", rng, size)
    listed = [
        {"train": [f"person_{p:04d}" for p in train], "test": [f"person_{p:04d}" for p in test]}
        for train, test in map(prid_halves, range(10))
    ]
    (root / "splits_prid2011.json").write_text(json.dumps(listed))
    return root


def _picture(path: Path, rng: np.random.Generator, size: tuple[int, int]) -> None:
    small = rng.integers(0, 255, (4, 2, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(small, size[::-1], interpolation=cv2.INTER_LINEAR))
