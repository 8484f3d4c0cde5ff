"""A tiny tree in the format of PoseTrackReID with noise for pictures, for tests that break it."""

import json
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

# (pid, video, frames); in the order of the lists.
TRAIN = [
    (pid, video, 3 + (pid + place) % 3)
    for place, (first, second) in enumerate([(342, 5), (5, 1735), (342, 1735), (5, 342), (96, 5), (1735, 96)])
    for pid in [(3, 7, 11, 20, 21, 140)[place]]
    for video in (first, second)
]
QUERY = [(5, 12, 4), (8, 12, 2), (13, 700, 5), (22, 81, 3)]
GALLERY = [
    (5, 700, 3),
    (5, 81, 1),
    (8, 12, 2),  # the query itself
    (8, 81, 6),
    (13, 12, 4),
    (22, 700, 3),
    (30, 12, 2),  # nobody asks for these two
    (31, 81, 3),
]

Names = Literal["bare", "below", "through", "absolute"]
PoseForm = Literal["line", "indented"]


def frames_of(pid: int, video: int, count: int) -> list[str]:
    """Names without an ending; a person's frames of a video are always the same."""
    return [f"{video:06d}_{pid}_{4 * frame:04d}" for frame in range(count)]


def joints_of(pid: int, video: int, frame: int, size: tuple[int, int]) -> np.ndarray:
    """PoseTrack's 17 slots of a frame, rounded as in a file; ears are never annotated."""
    rng = np.random.default_rng([pid, video, frame])
    joints = rng.uniform(0.1, 0.9, (17, 3)) * [size[1], size[0], 1]
    joints[3:5] = 0
    if frame % 2:
        joints[rng.integers(5, 17)] = np.nan
    return joints.round(2)


def listed_name(split: str, pid: int, name: str, style: Names, root: Path) -> str:
    """One of the ways in which a list may name a frame."""
    return {
        "bare": f"{name}.pose",
        "below": f"{pid}/{name}.pose",
        "through": f"posetrack-reid/{split}_keypoints/{pid}/{name}.pose",
        "absolute": f"{root}/{split}_keypoints/{pid}/{name}.pose",
    }[style]


def make_posetrackreid_tree(
    root: Path,
    names: Names = "bare",
    pose_form: PoseForm = "line",
    text_ids: bool = False,
    size: tuple[int, int] = (32, 16),
) -> Path:
    """Write the tree and return ``root``.

    Args:
        root: Where.
        names: How the lists name frames.
        pose_form: One line as KMPNet writes it, or indented JSON.
        text_ids: Identities and videos as text in the lists, videos with a suffix.
        size: Height and width of the pictures.
    """
    rng = np.random.default_rng(0)
    lists = {"train": ("train", TRAIN), "query": ("val", QUERY), "gallery": ("val", GALLERY)}
    for list_name, (split, tracklets) in lists.items():
        elements = []
        for pid, video, count in tracklets:
            images, poses = root / split / str(pid), root / f"{split}_keypoints" / str(pid)
            images.mkdir(parents=True, exist_ok=True)
            poses.mkdir(parents=True, exist_ok=True)
            frames = frames_of(pid, video, count)
            for frame, name in enumerate(frames):
                small = rng.integers(0, 255, (4, 2, 3), dtype=np.uint8)
                image = cv2.resize(small, size[::-1], interpolation=cv2.INTER_LINEAR)
                cv2.imwrite(str(images / f"{name}.jpg"), image)
                joints = joints_of(pid, video, frame, size).tolist()
                text = str(joints) + "\n" if pose_form == "line" else json.dumps(joints, indent=4)
                (poses / f"{name}.pose").write_text(text)
            written = [listed_name(split, pid, name, names, root) for name in frames]
            elements.append([written, *((str(pid), f"{video:06d}_mpii") if text_ids else (pid, video))])
        (root / f"{list_name}_names.json").write_text(json.dumps(elements))
    return root
