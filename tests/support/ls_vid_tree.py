"""A tiny tree in the format of LS-VID with noise for pictures, for tests that break it."""

from pathlib import Path
from typing import Literal

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

# (identity, tracklet, camera, numbers of its frames); in the order of the lists.
TRAIN = [
    (1, "0001", 3, [1, 2, 3, 4, 5]),
    (1, "00010", 15, [7, 8]),
    (0, "0001", 2, [99999, 100000]),
    (0, "0002", 3, [1, 5, 6]),
    (12, "0004", 2, [2, 3]),
    (12, "0005", 15, [1]),
    (40, "0001", 3, [1, 2, 3]),
    (40, "0002", 2, [4, 5, 6, 7, 8, 9, 10]),
]
TEST = [
    (3, "0001", 2, [1, 2, 3]),
    (3, "0002", 3, [1, 2]),
    (9, "0001", 15, [5, 6, 7]),
    (3, "0003", 2, [1, 2, 3, 4]),
    (9, "0002", 2, [1]),
    (31, "0001", 3, [1, 2]),  # nobody asks for this one
]
QUERY = [3, 1]
"""1-based rows of ``TEST``."""
SPLITS = {"train": TRAIN, "test": TEST, "val": [(5, "0001", 2, [1, 2])]}

MatForm = Literal["hdf5", "old"]
ListPath = Literal["through", "absolute", "below"]


def prefix_of(pid: int, number: str) -> str:
    """What the names of a tracklet's frames begin with: 0001_0001 is also the beginning of 0001_00010."""
    return f"{pid:04d}_{number}"


def paths_of(tracklet: tuple) -> list[str]:
    """Paths of a tracklet's frames below its split, in order."""
    pid, number, camera, frames = tracklet
    return [f"{pid:04d}/{prefix_of(pid, number)}_{camera:02d}_{frame:05d}.jpg" for frame in frames]


def make_ls_vid_tree(
    root: Path,
    *,
    above: str = "LS-VID",
    lists: str = "list_sequence",
    query_folder: str = "test/data",
    query_form: MatForm = "hdf5",
    list_path: ListPath = "through",
    size: tuple[int, int] = (32, 16),
) -> Path:
    """Write the tree and return ``root``.

    Args:
        root: Where.
        above: Folder over all others; nothing for none.
        lists: Folder of the lists.
        query_folder: Folder of the query file.
        query_form: In which format of MATLAB that is.
        list_path: How the lists name tracklets.
        size: Height and width of the pictures.
    """
    rng = np.random.default_rng(0)
    (root / above / lists).mkdir(parents=True)
    for split, tracklets in SPLITS.items():
        begin = {"through": f"tracklet_{split}/", "absolute": f"/data/LS-VID/tracklet_{split}/", "below": ""}
        lines = []
        for tracklet in tracklets:
            for path in reversed(paths_of(tracklet)):
                file = root / above / f"tracklet_{split}" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                small = rng.integers(0, 255, (4, 2, 3), dtype=np.uint8)
                cv2.imwrite(str(file), cv2.resize(small, size[::-1], interpolation=cv2.INTER_LINEAR))
            pid, number, *_ = tracklet
            lines.append(f"{begin[list_path]}{pid:04d}/{prefix_of(pid, number)} {pid}")
        (root / above / lists / f"list_seq_{split}.txt").write_text("\n".join(lines) + "\n")
    file = root / above / query_folder / "info_test.mat"
    file.parent.mkdir(parents=True, exist_ok=True)
    if query_form == "hdf5":
        write_query(file, np.array([QUERY], dtype=np.float64))
    else:
        savemat(file, {"query": np.array([QUERY], dtype=np.uint16).T})
    return root


def write_query(file: Path, query: NDArray[np.generic], variable: str = "query") -> None:
    """Write the query file as MATLAB 7.3 does: HDF5 behind 512 bytes of its own."""
    file.unlink(missing_ok=True)
    with h5py.File(file, "w", userblock_size=512) as content:
        content[variable] = query
        content[variable].attrs["MATLAB_class"] = np.bytes_("double")
        content["gallery"] = np.array([[2.0]])
    with file.open("rb+") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + b" " * 8 + b"\x00\x02IM")
