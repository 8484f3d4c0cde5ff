"""Long tracklets cut into pieces that are drawn as tracklets of their own."""

import numpy as np
import pandas as pd

from vidreid.data.tracklets import column, tracklet_table


def cut_tracklets(table: pd.DataFrame, frames: int) -> pd.DataFrame:
    """Cut each tracklet into pieces of consecutive frames.

    Args:
        table: A training table.
        frames: Frames of a piece; the last one of a tracklet may be shorter.

    Returns:
        A table of the pieces in order, with identity and camera of their tracklets, numbered anew.

    Raises:
        ValueError: If ``frames`` is less than 1.
    """
    check_piece_frames(frames)
    starts, stops = column(table, "start"), column(table, "stop")
    counts = -((starts - stops) // frames)
    rows = np.repeat(np.arange(len(table)), counts)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = starts[rows] + places * frames
    return tracklet_table(
        column(table, "pid")[rows],
        column(table, "camera")[rows],
        first,
        np.minimum(first + frames, stops[rows]),
    )


def check_piece_frames(frames: int) -> None:
    """Refuse what is no number of frames.

    Raises:
        ValueError: With what to choose.
    """
    if isinstance(frames, bool) or not isinstance(frames, int) or frames < 1:
        raise ValueError(
            f"data.piece_frames={frames} is no number of frames: choose one such as 48 or 64, or "
            "null for whole tracklets."
        )
