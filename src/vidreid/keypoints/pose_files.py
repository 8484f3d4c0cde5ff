"""Keypoints in ``.pose`` files, one a frame: the released form of KMPNet's and KeyRe-ID's keypoints."""

import ast
import json
import re
from collections.abc import Sequence
from os import PathLike
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vidreid.errors import DataError, MissingDataError
from vidreid.keypoints.layouts import Layout, check_layout

_SHAPE = (17, 3)
# What Python and NumPy write for a number that is none; JSON knows one spelling.
_NAN = re.compile(r"[-+]?\bnan\b", re.IGNORECASE)
_BROKEN = (ValueError, SyntaxError, TypeError, OverflowError, MemoryError, RecursionError)


def read_pose_file(path: str | PathLike[str]) -> NDArray[np.float32]:
    """Read the keypoints of one frame.

    Both forms in use are read: KMPNet's single line with a Python list and KeyRe-ID's indented JSON. The text
    is taken as data, never run.

    A joint is missing if x and y are both 0 or less (the rule of the released KMPNet), if one of them is not
    finite, or if its score is 0. Where every joint that is there has the score 0 or NaN, the file is an
    annotation without scores, and they count as sure (1).

    Args:
        path: A file that holds 17 triples of x, y (pixels of the frame) and score.

    Returns:
        ``(17, 3)``: x, y and confidence in [0, 1]; a missing joint is all zero.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If it holds anything else.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - quicker than by a Path
            text = file.read()
    except FileNotFoundError:
        raise MissingDataError(
            f"There is no keypoint file {path}, though the frame is listed: unpack the keypoints anew, or "
            "choose a method that needs none."
        ) from None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}): unpack it anew, or correct its permissions."
        ) from error
    if not text.strip():
        raise DataError(f"{path} is empty: it must hold 17 joints of x, y and score; unpack it anew.")
    try:
        joints = np.array(_parsed(text), dtype=np.float64)
    except _BROKEN as error:
        raise DataError(
            f"{path} is no list of 17 joints of x, y and score: unpack it anew, or write it as JSON."
        ) from error
    if joints.shape != _SHAPE:
        raise DataError(
            f"{path} has the shape {joints.shape} instead of (17, 3), 17 joints of x, y and score: these are "
            "keypoints of another kind."
        )
    return _cleaned(joints)


class FramePaths(Protocol):
    """Paths of the ``.pose`` files of a frame list, by row."""

    def __len__(self) -> int:
        """Return the number of frames."""
        ...

    def file(self, row: int) -> str:
        """Return the path of a frame's file."""
        ...


class PoseFiles:
    """The ``.pose`` files of a frame list, each read when it is needed; reads like a ``KeypointStore``.

    Attributes:
        layout: What the 17 joints are.
    """

    def __init__(self, paths: FramePaths, layout: Layout = "coco17") -> None:
        """Take the paths; nothing is looked up on disk.

        Args:
            paths: Where the file of each frame is; must be picklable for loader processes.
            layout: What the 17 joints are. The release says COCO; PoseTrackReID is annotated in PoseTrack's.

        Raises:
            DataError: If there is no such layout.
        """
        check_layout(layout)
        self.paths = paths
        self.layout: Layout = layout

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: slice | Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """Return ``(n, 17, 3)`` of these rows; see ``read_pose_file``.

        Raises:
            MissingDataError: If a file is missing.
            DataError: If a file holds anything else.
        """
        chosen = (
            list(range(*rows.indices(len(self))))
            if isinstance(rows, slice)
            else np.asarray(rows, dtype=np.int64).tolist()
        )
        # A short tracklet comes with its frames repeated: read each once.
        read = {row: read_pose_file(self.paths.file(row)) for row in dict.fromkeys(chosen)}
        return np.array([read[row] for row in chosen], dtype=np.float32).reshape(-1, *_SHAPE)


def _parsed(text: str) -> Any:
    """Return the value of a JSON text or, failing that, of a Python literal."""
    try:
        return json.loads(_NAN.sub("NaN", text))
    except _BROKEN:
        # In a literal there is no name for NaN; None becomes one in the array.
        return ast.literal_eval(_NAN.sub("None", text).strip())


def _cleaned(joints: NDArray[np.float64]) -> NDArray[np.float32]:
    position, score = joints[:, :2], np.nan_to_num(joints[:, 2], nan=0.0)
    there = np.isfinite(position).all(axis=1) & (position > 0).any(axis=1)
    if not (score[there] != 0).any():
        score = np.ones_like(score)
    there &= score > 0
    cleaned = np.zeros(_SHAPE, dtype=np.float32)
    cleaned[there, :2] = position[there]
    cleaned[there, 2] = np.clip(score[there], 0.0, 1.0)
    return cleaned
