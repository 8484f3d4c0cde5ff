"""A tiny tree in the format of DukeMTMC-VideoReID with noise for pictures, for tests that break it."""

from pathlib import Path
from typing import Literal

import cv2
import numpy as np

# (identity, tracklet, camera, (F, X) of its frames in order); a tracklet may begin anywhere.
TRAIN = [
    (1, 1, 6, [(99, 30823), (100, 30824), (101, 30825)]),
    (1, 2, 2, [(2, 500), (9999, 501), (10000, 502)]),
    (2, 1, 6, [(1, 7), (1, 8), (3, 1)]),
    (2, 3, 8, [(5, 100), (6, 99)]),
    (7, 1, 1, [(1, 1), (2, 2)]),
    (7, 2, 2, [(1, 1)]),
    (30, 1, 2, [(1, 10), (2, 20), (3, 30)]),
    (30, 2, 6, [(1, 10), (2, 20)]),
]
QUERY = [(5, 1, 2, [(1, 1), (2, 3)]), (11, 1, 6, [(4, 4)])]
GALLERY = [
    (5, 2, 6, [(1, 1), (2, 3), (3, 5)]),
    (5, 3, 2, [(8, 8)]),
    (11, 2, 1, [(1, 1), (2, 2)]),
    (20, 1, 8, [(1, 1), (2, 2)]),  # nobody asks for this one
]
SPLITS = {"train": TRAIN, "query": QUERY, "gallery": GALLERY}

Style = Literal["joined", "underscores"]


def frame_name(pid: int, camera: int, frame: int, crop: int, style: Style = "joined") -> str:
    """The name of a frame in one of the two styles."""
    between = "_" if style == "underscores" else ""
    return between.join([f"{pid:04d}", f"C{camera}", f"F{frame:04d}", f"X{crop}"]) + ".jpg"


def paths_of(tracklet: tuple, style: Style = "joined") -> list[str]:
    """Paths of a tracklet's frames below its split, in order."""
    pid, number, camera, frames = tracklet
    return [f"{pid:04d}/{number:04d}/{frame_name(pid, camera, f, x, style)}" for f, x in frames]


def make_duke_video_reid_tree(
    root: Path,
    *,
    above: str = "DukeMTMC-VideoReID",
    style: Style = "joined",
    size: tuple[int, int] = (32, 16),
) -> Path:
    """Write the tree and return ``root``.

    Args:
        root: Where.
        above: Folder over those of the splits; nothing for none.
        style: Of the names.
        size: Height and width of the pictures.
    """
    rng = np.random.default_rng(0)
    for split, tracklets in SPLITS.items():
        for tracklet in reversed(tracklets):
            for path in reversed(paths_of(tracklet, style)):
                file = root / above / split / path
                file.parent.mkdir(parents=True, exist_ok=True)
                small = rng.integers(0, 255, (4, 2, 3), dtype=np.uint8)
                cv2.imwrite(str(file), cv2.resize(small, size[::-1], interpolation=cv2.INTER_LINEAR))
    return root
