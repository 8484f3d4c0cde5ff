"""A contact sheet of stored keypoints: frames spread evenly, and some of those with the fewest joints."""

import numpy as np
from numpy.typing import NDArray

from vidreid.data.frames import FrameError, read_frame
from vidreid.data.tracklets import FrameList
from vidreid.keypoints.coverage import own_joints
from vidreid.keypoints.layouts import select_joints
from vidreid.keypoints.skeleton import SKELETONS
from vidreid.keypoints.store import KeypointStore
from vidreid.visualize.palette import Frame
from vidreid.visualize.ranked import middles
from vidreid.visualize.skeletons import skeleton_sheet

_WORST = 50
"""The frames with the fewest joints are one in so many."""


def pose_sheet(
    frames: FrameList, store: KeypointStore, joints: NDArray[np.int64], rows: int = 4, columns: int = 8
) -> Frame | None:
    """Draw frames with their keypoints: all rows but the last are spread evenly over the frames, the last one
    over the fiftieth of them with the fewest joints.

    Frames that cannot be read are left out.

    Args:
        frames: The frames.
        store: Their keypoints.
        joints: ``(N,)`` joints found in each frame.
        rows: Of the sheet.
        columns: Frames a row.

    Returns:
        ``(H, W, 3)`` uint8 RGB, or ``None`` if there is no frame to draw.
    """
    wanted = max(rows - 1, 0) * columns
    spread = middles(len(frames), min(wanted, len(frames)))
    worst = np.argsort(joints, kind="stable")[: max(columns, len(frames) // _WORST)]
    worst = np.sort(worst)[middles(len(worst), min(columns, len(worst)))]
    lines = [spread[start : start + columns] for start in range(0, len(spread), columns)]
    drawn = [line for chosen in [*lines, worst] if (line := _line(frames, store, chosen))[0]]
    skeleton = SKELETONS[own_joints(store.layout)]
    return skeleton_sheet(drawn, skeleton) if drawn else None


def _line(
    frames: FrameList, store: KeypointStore, rows: NDArray[np.int64]
) -> tuple[list[Frame], NDArray[np.floating]]:
    pictures, read = [], []
    for row in rows.tolist():
        try:
            pictures.append(read_frame(frames, row))
            read.append(row)
        except FrameError:
            continue
    return pictures, select_joints(store[read], own_joints(store.layout), store.layout)
