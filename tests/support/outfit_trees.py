"""Tiny trees in the formats of CCVID and MEVID, in which people change clothes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from vidreid.data.readers.mars_reader import read_mars

Pictures = Callable[[Path, int, str, int], None]
"""Writes the picture of an identity in an outfit to a path; the last number is that of the frame."""

# (folder, identity, label of the clothes, camera, frames); in the order of the lists.
CCVID_TRAIN = [
    (f"session{session}/{pid:03d}_{camera:02d}", f"{pid:03d}", label, camera + 12 * (session == 3), frames)
    for pid in (2, 4, 7, 9, 10, 30)
    for session, camera, label, frames in ((1, 1, "u0_l0", 3), (2, 5, "u0_l0", 2), (3, 1, "u1_l0", 2))
]
CCVID_QUERY = [
    ("session1/003_02", "003", "u0_l0", 2, 3),
    ("session3/003_02", "003", "u4_l1", 14, 2),
    ("session2/005_11", "005", "u0_l0", 11, 2),
    ("session1/006_01", "006", "u0_l0", 1, 1),
]
CCVID_GALLERY = [
    ("session2/003_02", "003", "u9_l9", 2, 2),  # the first query's camera, another outfit
    ("session1/003_07", "003", "u0_l0", 7, 4),
    ("session3/003_07", "003", "u4_l1", 19, 2),
    ("session1/005_12", "005", "u0_l0", 12, 2),  # 005 never changes
    ("session3/006_01", "006", "u0_l1", 13, 12),  # 006 always has
    ("session1/008_03", "008", "u0_l0", 3, 2),  # nobody asks for this one, in a label of others
]

# (identity, outfit, camera, frames); in the order of the tables.
MEVID_TRAIN = [
    (pid, outfit, camera, frames)
    for pid in (2, 10, 35, 104, 200, 201)
    for outfit, camera, frames in ((0, 330, 3), (0, 401, 1), (11, 330, 2))
]
MEVID_TEST = [
    (5, 0, 330, 2),
    (5, 0, 508, 3),
    (5, 2, 508, 2),
    (5, 2, 330, 1),
    (41, 1, 329, 4),
    (41, 1, 330, 2),
    (99, 0, 330, 2),
    (99, 7, 401, 3),
    (150, 0, 505, 1),
]
MEVID_QUERY = [0, 5, 7]
"""Rows of ``MEVID_TEST``, counted from 0."""


def noise(path: Path, pid: int, clothes: str, frame: int) -> None:
    """Write a picture for trees that nobody looks at."""
    small = np.random.default_rng([pid, *clothes.encode(), frame]).integers(0, 255, (4, 2, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(small, (16, 32), interpolation=cv2.INTER_LINEAR))


def walkers(tiny_root: Path) -> Pictures:
    """Return what takes pictures from the procedural benchmark, another tracklet of it for every outfit."""
    benchmark = read_mars(tiny_root)
    spans = benchmark.train[["start", "stop"]].to_numpy()

    def copy(path: Path, pid: int, clothes: str, frame: int) -> None:
        start, stop = spans[(31 * pid + sum(clothes.encode())) % len(spans)].tolist()
        shutil.copy(benchmark.train_frames.path(start + frame % (stop - start)), path)

    return copy


def ccvid_frames(count: int) -> list[str]:
    """Names whose order is that of their numbers and not of their letters, with gaps."""
    return [f"{2 * frame + 1}.jpg" if count > 10 else f"{2 * frame + 1:05d}.jpg" for frame in range(count)]


def make_ccvid_tree(root: Path, *, above: str = "CCVID", pictures: Pictures = noise) -> Path:
    """Write the tree and return ``root``.

    Args:
        root: Where.
        above: Folder of lists and sessions; nothing for none.
        pictures: Writes a frame.
    """
    for name, listed in (("train", CCVID_TRAIN), ("query", CCVID_QUERY), ("gallery", CCVID_GALLERY)):
        lines = []
        for number, (folder, identity, clothes, _, count) in enumerate(listed):
            at = root / above / folder
            at.mkdir(parents=True)
            for frame, frame_name in reversed(list(enumerate(ccvid_frames(count)))):
                pictures(at / frame_name, int(identity), clothes, frame)
            between = "\t" if number % 2 else " "
            lines.append(between.join((folder, identity, clothes)))
        (root / above / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return root


def mevid_name(pid: int, outfit: int, camera: int, tracklet: int, frame: int) -> str:
    return f"{pid:04d}O{outfit:03d}C{camera:03d}T{tracklet:03d}F{frame:05d}.jpg"


def make_mevid_tree(
    root: Path, *, lists: str = "", inclusive: bool = True, pictures: Pictures = noise
) -> Path:
    """Write the tree and return ``root``.

    Args:
        root: Where.
        lists: Folder of the text files below the root.
        inclusive: Whether the second column is a tracklet's last frame, or one past it.
        pictures: Writes a frame.
    """
    (root / lists).mkdir(parents=True, exist_ok=True)
    for split, tracklets in (("train", MEVID_TRAIN), ("test", MEVID_TEST)):
        names, rows = [], []
        for tracklet, (pid, outfit, camera, count) in enumerate(tracklets):
            folder = root / f"bbox_{split}" / f"{pid:04d}"
            folder.mkdir(parents=True, exist_ok=True)
            rows.append((len(names), len(names) + count - inclusive, pid, outfit, camera))
            for frame in range(count):
                name = mevid_name(pid, outfit, camera, tracklet, 7 * frame)
                pictures(folder / name, pid, str(outfit), frame)
                names.append(name)
        (root / lists / f"{split}_name.txt").write_text("\n".join(names) + "\n")
        write_numbers(root / lists / f"track_{split}_info.txt", np.array(rows))
    write_numbers(root / lists / "query_IDX.txt", np.array(MEVID_QUERY))
    return root


def write_numbers(path: Path, values: np.ndarray) -> None:
    """Write numbers as MEVID does: as floats with eighteen decimals."""
    np.savetxt(path, values)
