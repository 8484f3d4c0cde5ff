"""What a manifest and a folder tree have in common: one row a frame of one's own data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Cameras = Literal["given", "each_tracklet"]
"""Whose cameras count: those that are given, or one a tracklet where nobody knows them."""


@dataclass(frozen=True)
class OwnFrames:
    """Frames of one's own data, checked.

    Attributes:
        where: They are listed, for messages.
        folder: What the paths are relative to.
        table: A row a frame; those of a tracklet follow each other in their order. Text columns ``tracklet``,
            ``frame_path``, ``person`` (empty: nobody knows), and, where they are given, ``camera`` and
            ``role``.
        edges: ``(frames, 4)`` int64 left, top, right and bottom of each frame in its image, or ``None``.
        keypoints: ``(frames, 17, 3)`` float32 in pixels of the images, or ``None``.
    """

    where: str
    folder: Path
    table: pd.DataFrame
    edges: NDArray[np.int64] | None = None
    keypoints: NDArray[np.float32] | None = None


def check_cameras(cameras: str) -> None:
    """Refuse what is neither ``given`` nor ``each_tracklet``.

    Raises:
        ValueError: With the choices.
    """
    if cameras not in get_args(Cameras):
        raise ValueError(f"There is no data.cameras={cameras}: choose one of {', '.join(get_args(Cameras))}.")
