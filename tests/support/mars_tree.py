"""A tiny tree in MARS format with noise for pictures, for tests that break it."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vidreid.data.mars_format import folder_of, frame_name, names_crc, write_info
from vidreid.keypoints.store import write_keypoints

# (pid, camera, frames); the order is that of the rows.
TRAIN = [
    (1, 1, 5),
    (1, 2, 3),
    (2, 1, 4),
    (2, 3, 9),
    (4, 2, 2),
    (4, 3, 6),
    (5, 1, 4),
    (7, 1, 8),
    (7, 2, 1),
    (7, 2, 3),
]
TEST = [
    (-1, 1, 3),
    (-1, 2, 2),
    (0, 1, 4),
    (0, 3, 2),
    (3, 1, 5),
    (3, 1, 2),
    (3, 2, 11),
    (6, 1, 3),
    (6, 3, 4),
    (6, 3, 1),
]
QUERY = [5, 7, 8, 9]
"""1-based rows of ``TEST``."""


def make_mars_tree(
    root: Path,
    size: tuple[int, int] = (32, 16),
    seed: int = 0,
    train: Sequence[tuple[int, int, int]] = TRAIN,
    test: Sequence[tuple[int, int, int]] = TEST,
    query: Sequence[int] = QUERY,
) -> Path:
    """Write the tree with both kinds of keypoints (h, w = size) and return ``root``."""
    rng = np.random.default_rng(seed)
    lists = {}
    for split, tracklets in (("bbox_train", train), ("bbox_test", test)):
        names, rows, numbers = [], [], {}
        for pid, camera, frames in tracklets:
            numbers[pid] = numbers.get(pid, 0) + 1
            rows.append((len(names) + 1, len(names) + frames, pid, camera))
            folder = root / split / folder_of(pid)
            folder.mkdir(parents=True, exist_ok=True)
            for frame in range(1, frames + 1):
                name = frame_name(pid, camera, numbers[pid], frame)
                small = rng.integers(0, 255, (4, 2, 3), dtype=np.uint8)
                cv2.imwrite(str(folder / name), cv2.resize(small, size[::-1], interpolation=cv2.INTER_LINEAR))
                names.append(name)
        lists[split] = (names, np.array(rows))
        for source in ("true", "detector"):
            keypoints = rng.random((len(names), 17, 3)) * [size[1], size[0], 1]
            write_keypoints(root / "keypoints" / source, split, keypoints, names_crc(names), source)
    (train_names, train_rows), (test_names, test_rows) = lists["bbox_train"], lists["bbox_test"]
    write_info(root, train_names, test_names, train_rows, test_rows, np.array(query))
    return root
