"""Where a track is cut into tracklets."""

import numpy as np
from numpy.typing import NDArray


def split_at_gaps(
    tracks: NDArray[np.int64], frames: NDArray[np.int64], max_gap: int | None
) -> NDArray[np.int64]:
    """Number the stretches of tracks.

    Args:
        tracks: ``(n,)`` track of each box; boxes of one lie together.
        frames: ``(n,)``, ascending in each track.
        max_gap: A new stretch begins where more frames than these are missing; ``None``: only with a track.

    Returns:
        ``(n,)``, from 0.
    """
    begins = np.diff(tracks, prepend=-1) != 0
    if max_gap is not None:
        begins |= np.diff(frames, prepend=0) - 1 > max_gap
    return np.cumsum(begins) - 1


def split_evenly(stretches: NDArray[np.int64], max_frames: int | None) -> NDArray[np.int64]:
    """Cut stretches into as few pieces of at most so many boxes as possible, as equally long as possible.

    Equally long, because a rest of one frame would be a poor tracklet.

    Args:
        stretches: ``(n,)`` number of each box's stretch, ascending.
        max_frames: ``None``: a stretch is one piece.

    Returns:
        ``(n,)`` numbers of the pieces, from 0, ascending.
    """
    _, counts = np.unique(stretches, return_counts=True)
    lengths: list[int] = []
    for count in counts.tolist():
        pieces = 1 if max_frames is None else -(-count // max_frames)
        lengths += [count // pieces + (piece < count % pieces) for piece in range(pieces)]
    return np.repeat(np.arange(len(lengths)), lengths)
