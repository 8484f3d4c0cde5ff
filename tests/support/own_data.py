"""Tiny sets of one's own data: pictures of noise, and the procedural walkers as a manifest."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from vidreid.data.readers.mars_reader import read_mars
from vidreid.keypoints.store import KeypointStore

HEIGHT, WIDTH, FRAMES = 32, 16, 3
PEOPLE = ("anna", "bert", "cleo", "dora", "emil", "finn")
CAMERAS = ("door", "hall")


def noise(seed: list[int], height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write_noise(file: Path, seed: list[int], height: int = HEIGHT, width: int = WIDTH) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(file), noise(seed, height, width)[..., ::-1])


def rows_of_noise(root: Path, people=PEOPLE, cameras=CAMERAS) -> pd.DataFrame:
    """Write a picture a frame, one tracklet a person and camera, and return the rows of a manifest."""
    rows = []
    for p, person in enumerate(people):
        for c, camera in enumerate(cameras):
            for frame in range(FRAMES):
                name = f"crops/{person}_{camera}_{frame}.png"
                write_noise(root / name, [p, c, frame])
                rows.append((f"{person}-{camera}", name, person, camera))
    return pd.DataFrame(rows, columns=["tracklet", "frame_path", "person", "camera"])


def make_manifest(root: Path) -> Path:
    """Write a small manifest without roles: six people in two cameras."""
    rows_of_noise(root).to_csv(root / "manifest.csv", index=False)
    return root


def with_keypoints(rows: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Add random joints in pixels of the pictures, and return them too."""
    joints = np.random.default_rng(7).random((len(rows), 17, 3)) * [WIDTH, HEIGHT, 1]
    joints = joints.astype(np.float32)
    return rows.assign(keypoints=[json.dumps(one.tolist()) for one in joints]), joints


def make_folder_tree(root: Path) -> Path:
    """Write the same people as folders, with frames that a plain sort would misplace."""
    for p, person in enumerate(PEOPLE):
        for c, camera in enumerate(CAMERAS):
            for place, frame in enumerate((2, 9, 10)):
                write_noise(root / person / camera / "t1" / f"frame{frame}.png", [p, c, place])
    return root


def walkers_as_rows(root: Path, folder: Path) -> pd.DataFrame:
    """Return the rows of a manifest that lists a tree in MARS format, with roles and keypoints.

    Without the junk, which own data have not. ``folder`` gets links to the pictures, since paths are
    relative to the manifest.
    """
    benchmark = read_mars(root)
    rows = []
    for split in ("train", "test"):
        (folder / f"bbox_{split}").symlink_to(root / f"bbox_{split}")
        table, frames = getattr(benchmark, split), getattr(benchmark, f"{split}_frames")
        joints = KeypointStore.open(
            root / "keypoints" / "detector", f"bbox_{split}", len(frames), frames.names_crc()
        )
        for row in table.loc[table["pid"] >= 0].itertuples():
            role = "train" if split == "train" else "query" if row.is_query else "gallery"
            for frame in range(row.start, row.stop):
                rows.append(
                    {
                        "tracklet": f"{split}{row.tracklet:04d}",
                        "frame_path": f"bbox_{split}/{frames.relative(frame)}",
                        "person": "" if row.pid == 0 else str(row.pid),
                        "camera": str(row.camera),
                        "role": role,
                        "frame_number": frame - row.start,
                        "keypoints": json.dumps(joints[frame : frame + 1][0].tolist()),
                    }
                )
    return pd.DataFrame(rows)
