"""A tiny tree of X-MARS: that of MARS with the metadata of another split."""

import shutil
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from support import mars_tree
from vidreid.data.mars_format import folder_of, frame_name

TRAIN_PEOPLE = (2, 3, 4, 7)
TEST_PEOPLE = (-1, 0, 1, 5, 6)
QUERY = [5, 6, 8, 9]
"""1-based rows of the test tracklets."""

Numbering = Literal["own", "mars"]


def tracklets_of(people: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Identity, camera, number and length of the tracklets of some people, in the order of the rows."""
    found, numbers = [], {}
    for pid, camera, frames in (*mars_tree.TRAIN, *mars_tree.TEST):
        numbers[pid] = numbers.get(pid, 0) + 1
        found.append((pid, camera, numbers[pid], frames))
    return sorted((tracklet for tracklet in found if tracklet[0] in people), key=lambda t: (t[0], t[2]))


def place_of(pid: int) -> str:
    """The folder of MARS that somebody's images are in."""
    return "bbox_train" if pid in {train for train, *_ in mars_tree.TRAIN} else "bbox_test"


def names_of(tracklet: tuple[int, int, int, int]) -> list[str]:
    """File names of a tracklet."""
    pid, camera, number, frames = tracklet
    return [frame_name(pid, camera, number, frame) for frame in range(1, frames + 1)]


def rows_of(people: tuple[int, ...], numbering: Numbering = "own") -> NDArray[np.int32]:
    """Rows as in the metadata; under ``mars`` they point into the name lists of MARS."""
    mars = {}
    for split in (mars_tree.TRAIN, mars_tree.TEST):
        last, numbers = 0, {}
        for pid, _, frames in split:
            numbers[pid] = numbers.get(pid, 0) + 1
            mars[pid, numbers[pid]] = last + 1
            last += frames
    rows, start = [], 1
    for pid, camera, number, frames in tracklets_of(people):
        first = start if numbering == "own" else mars[pid, number]
        rows.append((first, first + frames - 1, pid, camera))
        start += frames
    return np.array(rows, dtype=np.int32)


def make_x_mars_tree(
    root: Path,
    *,
    info: str = "info",
    file_prefix: str = "",
    variable_prefix: str = "xmars_",
    numbering: Numbering = "own",
    lists: bool = False,
    arranged: bool = False,
) -> Path:
    """Write the tree and return ``root``.

    Args:
        root: Where.
        info: Folder of the metadata; with another one than ``info`` that of MARS stays.
        file_prefix: What the names of the files begin with.
        variable_prefix: What the names of their variables begin with.
        numbering: Which name lists the rows point into.
        lists: Whether name lists are written.
        arranged: Move everybody's images to the folder of the split.
    """
    mars_tree.make_mars_tree(root)
    if info == "info" and not file_prefix:
        shutil.rmtree(root / "info")
    if arranged:
        for people, folder in ((TRAIN_PEOPLE, "bbox_train"), (TEST_PEOPLE, "bbox_test")):
            for pid in people:
                if place_of(pid) != folder:
                    (root / place_of(pid) / folder_of(pid)).rename(root / folder / folder_of(pid))
    (root / info).mkdir(exist_ok=True)
    for split, people in (("train", TRAIN_PEOPLE), ("test", TEST_PEOPLE)):
        write_matrix(
            root / info / f"{file_prefix}tracks_{split}_info.mat",
            f"{variable_prefix}track_{split}_info",
            rows_of(people, numbering),
        )
        if lists:
            names = [name for tracklet in tracklets_of(people) for name in names_of(tracklet)]
            (root / info / f"{file_prefix}{split}_name.txt").write_text(
                "".join(f"{name}\r\n" for name in names)
            )
    query = np.array([QUERY], dtype=np.uint16)
    write_matrix(root / info / f"{file_prefix}query_IDX.mat", f"{variable_prefix}query_IDX", query)
    return root


def write_matrix(path: Path, variable: str, matrix: NDArray[np.generic]) -> None:
    """Write one variable."""
    savemat(path, {variable: matrix})
