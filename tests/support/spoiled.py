"""Copies of trees and keypoints with one thing wrong."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.data.inspection.findings import Finding
from vidreid.data.inspection.inspect import Inspection, inspect
from vidreid.data.mars import MarsDataModule
from vidreid.keypoints.store import write_keypoints

TRAIN = "bbox_train"


def copy_tree(root: Path, to: Path) -> Path:
    """Copy a tree by hard links: replace files in it, never write into them."""
    return Path(shutil.copytree(root, to, copy_function=os.link))


def put(path: Path, data: bytes) -> None:
    """Replace a file without touching what it was linked to."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def encoded(image: NDArray[np.uint8], quality: int = 95) -> bytes:
    """Return an RGB picture as JPEG."""
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def change_keypoints(
    root: Path, folder: Path, change: Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[np.floating]]
) -> Path:
    """Write changed copies of the exact training keypoints of a tree.

    Args:
        root: The tree.
        folder: Where the store goes.
        change: From ``(N, 17, 3)`` and the tracklet of each frame to what is stored.
    """
    benchmark = MarsDataModule(root).benchmark
    lengths = (benchmark.train["stop"] - benchmark.train["start"]).to_numpy()
    stored = np.load(root / "keypoints" / "true" / f"{TRAIN}.npy").astype(np.float32)
    changed = change(stored, np.repeat(np.arange(len(lengths)), lengths))
    write_keypoints(folder, TRAIN, changed, benchmark.train_frames.names_crc(), "spoiled")
    return folder


def inspected(root: Path, **settings: object) -> Inspection:
    """Inspect a tree in MARS format in this process."""
    given = {"batch_size": 4, "clip_length": 4, "keypoints": None, **settings}
    return inspect(MarsDataModule(root, **given))  # pyright: ignore[reportArgumentType]


def found(inspection: Inspection) -> dict[str, str]:
    """Return the severities of errors and warnings by their codes."""
    return {finding.code: finding.severity for finding in inspection.findings if finding.severity != "note"}


def finding(inspection: Inspection, code: str) -> Finding:
    """Return the one finding of a code."""
    (only,) = (each for each in inspection.findings if each.code == code)
    return only
