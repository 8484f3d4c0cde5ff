"""Which frames of a tracklet make a clip: pure functions from a length to row numbers.

A tracklet may have fewer frames than a clip; each mode says how it fills up. Randomness comes from Python's
``random.Random``: seeding a NumPy generator for each clip would take longer than the sampling.
"""

import random
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Sampling = Literal["segment_random", "evenly", "released_evenly", "consecutive", "dense", "dense_stride4"]
"""How clips are taken from a tracklet."""

Rows = NDArray[np.int64]

_DENSE = ("dense", "dense_stride4")
_STRIDE = 4


def segment_random(length: int, frames: int, generator: random.Random) -> Rows:
    """One random frame from each of ``frames`` equal segments, in order.

    A shorter tracklet is stretched: its frames are repeated in place.

    Args:
        length: Frames of the tracklet, at least 1.
        frames: Frames of the clip ``T``.
        generator: Source of randomness.

    Returns:
        ``(T,)`` rows, ascending.
    """
    rows = np.empty(frames, dtype=np.int64)
    for i in range(frames):
        low = i * length // frames
        high = max((i + 1) * length // frames, low + 1)
        rows[i] = low + int(generator.random() * (high - low))
    return rows


def evenly(length: int, frames: int) -> Rows:
    """The middle frames of ``frames`` equal segments: ``floor((2 i + 1) n / (2 T))``.

    A shorter tracklet gives all its frames and then repeats the last one.

    Returns:
        ``(T,)`` rows, ascending.
    """
    i = np.arange(frames, dtype=np.int64)
    if length < frames:
        return np.minimum(i, length - 1)
    return (2 * i + 1) * length // (2 * frames)


def released_evenly(length: int, frames: int, extra: int = 2) -> Rows:
    """The even sampling of the released KMPNet, for parity only: it never sees the end of a tracklet.

    ``T + extra`` rows ``i * floor(n / (T + extra))``, of which the last ``extra`` are dropped (they once
    served velocity and acceleration). ``extra=0`` gives the sampling of torchreid's video data sets. A
    shorter tracklet repeats its last frame.

    Returns:
        ``(T,)`` rows, ascending.
    """
    i = np.arange(frames, dtype=np.int64)
    step = max(length // (frames + extra), 1)
    return np.minimum(i * step, length - 1)


def consecutive(length: int, frames: int, generator: random.Random | None = None) -> Rows:
    """``frames`` consecutive frames from a random start, or from the middle without a generator.

    A shorter tracklet gives all its frames and then repeats the last one.

    Returns:
        ``(T,)`` rows, ascending.
    """
    latest = max(length - frames, 0)
    start = latest // 2 if generator is None else int(generator.random() * (latest + 1))
    return np.minimum(start + np.arange(frames, dtype=np.int64), length - 1)


def dense(length: int, frames: int, max_clips: int | None = None) -> NDArray[np.int64]:
    """All frames in clips that follow one another without overlap.

    The last clip is filled by repeating its own frames in a cycle.

    Args:
        length: Frames of the tracklet, at least 1.
        frames: Frames of a clip ``T``.
        max_clips: Stop after that many clips; the released KeyRe-ID stops after 41 (of 4 frames).

    Returns:
        ``(clips, T)`` rows.
    """
    clips = dense_count(length, frames, max_clips)
    return np.stack([dense_clip(length, frames, clip) for clip in range(clips)])


def dense_count(length: int, frames: int, max_clips: int | None = None) -> int:
    """Return how many clips ``dense`` gives."""
    clips = -(-length // frames)
    return clips if max_clips is None else min(clips, max_clips)


def dense_clip(length: int, frames: int, clip: int) -> Rows:
    """Return clip number ``clip`` of ``dense`` without building the others."""
    start = clip * frames
    own = min(frames, length - start)
    return start + np.arange(frames, dtype=np.int64) % own


def dense_stride4_clip(length: int, frames: int, clip: int) -> Rows:
    """Return clip number ``clip`` of all frames in clips of every fourth one, as CCVID's authors test.

    Blocks of ``4 T`` frames follow one another, and each gives four clips that begin at its first four
    frames. Clips of the last block are filled by repeating their own frames in a cycle.

    Args:
        length: Frames of the tracklet, at least 1.
        frames: Frames of a clip ``T``.
        clip: Below ``clip_count``.

    Returns:
        ``(T,)`` rows.
    """
    block, phase = divmod(clip, _STRIDE)
    start = block * _STRIDE * frames
    own = np.arange(start + phase, min(start + _STRIDE * frames, length), _STRIDE, dtype=np.int64)
    return own[np.arange(frames) % len(own)]


def clip_count(sampling: str, length: int, frames: int, max_clips: int | None = None) -> int:
    """Return how many clips of a tracklet are evaluated: one, unless the mode is dense.

    Args:
        sampling: A deterministic mode.
        length: Frames of the tracklet, at least 1.
        frames: Frames of a clip ``T``.
        max_clips: At most so many of a dense mode.
    """
    if sampling == "dense":
        return dense_count(length, frames, max_clips)
    if sampling == "dense_stride4":
        blocks, rest = divmod(length, _STRIDE * frames)
        clips = _STRIDE * blocks + min(_STRIDE, rest)
        return clips if max_clips is None else min(clips, max_clips)
    return 1


def training_clip(sampling: str, length: int, frames: int, generator: random.Random) -> Rows:
    """Sample one clip for training; a dense mode gives a random one of its clips.

    Raises:
        ValueError: For an unknown mode.
    """
    if sampling == "segment_random":
        return segment_random(length, frames, generator)
    if sampling == "consecutive":
        return consecutive(length, frames, generator)
    clip = int(generator.random() * clip_count(sampling, length, frames)) if sampling in _DENSE else 0
    return evaluation_clip(sampling, length, frames, clip)


def evaluation_clip(sampling: str, length: int, frames: int, clip: int) -> Rows:
    """Return clip number ``clip`` of a tracklet under a deterministic mode.

    Raises:
        ValueError: For an unknown mode or ``segment_random``.
    """
    if sampling == "evenly":
        return evenly(length, frames)
    if sampling == "released_evenly":
        return released_evenly(length, frames)
    if sampling == "consecutive":
        return consecutive(length, frames)
    if sampling == "dense":
        return dense_clip(length, frames, clip)
    if sampling == "dense_stride4":
        return dense_stride4_clip(length, frames, clip)
    check_sampling(sampling, evaluation=True)
    raise AssertionError(sampling)


def check_sampling(sampling: str, *, evaluation: bool = False) -> None:
    """Refuse a mode that does not exist or, for evaluation, is random.

    Raises:
        ValueError: With the choices.
    """
    choices = [name for name in get_args(Sampling) if not (evaluation and name == "segment_random")]
    if sampling not in choices:
        purpose = "evaluation" if evaluation else "training"
        raise ValueError(
            f"There is no clip sampling {sampling!r} for {purpose}: choose one of {', '.join(choices)}."
        )
