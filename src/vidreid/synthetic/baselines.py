"""Baselines without learning: mean colour, part colours, gait and the oracle."""

import json

import numpy as np
from numpy.typing import NDArray

from vidreid.synthetic.camera import FRAME_SECONDS
from vidreid.synthetic.identity import LEVELS
from vidreid.synthetic.scores import SplitReader
from vidreid.synthetic.tree import DESCRIPTION

Floats = NDArray[np.floating]


def mean_colour(images: NDArray[np.uint8]) -> Floats:
    """Mean of all pixels of all frames, ``(3,)``."""
    return images.reshape(-1, 3).mean(0)


def stripe_colours(images: NDArray[np.uint8], stripes: int = 6) -> Floats:
    """Mean colours of horizontal stripes of the middle of the crops, ``(3 * stripes,)``."""
    width = images.shape[2]
    middle = images[:, :, int(0.3 * width) : int(0.7 * width)]
    return np.concatenate([part.reshape(-1, 3).mean(0) for part in np.array_split(middle, stripes, axis=1)])


_LIMBS = {
    "head": (0, 1, 2, 3, 4),
    "chest": (5, 6),
    "belly": (11, 12),
    "upper_arms": (7, 8),
    "forearms": (9, 10),
    "knees": (13, 14),
    "ankles": (15, 16),
}


def part_colours(images: NDArray[np.uint8], keypoints: Floats) -> Floats:
    """Mean colour around visible joints.

    A part that is never seen takes the mean colour of the frames.

    Args:
        images: ``(F, H, W, 3)``.
        keypoints: ``(F, 17, 3)``.

    Returns:
        ``(27,)``: seven groups of joints, the middle of the trunk and the middle of the thighs.
    """
    points = np.concatenate(
        [
            keypoints,
            keypoints[:, [5, 6, 11, 12]].mean(1, keepdims=True),
            (keypoints[:, [11, 12]] + keypoints[:, [13, 14]]) / 2,
        ],
        1,
    )
    points[:, 17:, 2] = np.stack(
        [
            keypoints[:, [5, 6, 11, 12], 2].min(1),
            keypoints[:, [11, 13], 2].min(1),
            keypoints[:, [12, 14], 2].min(1),
        ],
        1,
    )
    frames, height, width = images.shape[:3]
    reach = max(round(0.016 * height), 1)
    groups = [*_LIMBS.values(), (17,), (18, 19)]
    fallback = mean_colour(images)
    result = np.zeros((len(groups), 3))
    for number, joints in enumerate(groups):
        colours = []
        for f in range(frames):
            for x, y, confidence in points[f, joints, :]:
                column, row = int(x), int(y)
                if confidence > 0 and reach <= column < width - reach and reach <= row < height - reach:
                    patch = images[f, row - reach : row + reach + 1, column - reach : column + reach + 1]
                    colours.append(patch.reshape(-1, 3).mean(0))
        result[number] = np.mean(colours, 0) if colours else fallback
    return result.ravel()


def gait(keypoints: Floats) -> Floats:
    """Proportions and motion of the joints, without any pixel.

    Args:
        keypoints: ``(F, 17, 3)`` true joints (coordinates are exact even where hidden).

    Returns:
        ``(8,)``: leg to trunk, shoulders to trunk, hips to trunk, step, arm swing, lean, cadence in Hz and
        how clear that cadence is.
    """
    xy = keypoints[..., :2].astype(np.float64)
    shoulders, hips = xy[:, 5:7].mean(1), xy[:, 11:13].mean(1)
    trunk = np.linalg.norm(shoulders - hips, axis=1) + 1e-6
    ankles = xy[:, 15] - xy[:, 16]
    wrists = xy[:, 9] - xy[:, 10]
    legs = np.linalg.norm(xy[:, [11, 12]] - xy[:, [13, 14]], axis=-1).mean(1)
    legs = legs + np.linalg.norm(xy[:, [13, 14]] - xy[:, [15, 16]], axis=-1).mean(1)
    lean = np.abs((shoulders - hips)[:, 0]) / trunk
    axis = ankles @ np.linalg.svd(ankles - ankles.mean(0), full_matrices=False)[2][0] / trunk
    cadence, clarity = _cadence(axis)
    return np.array(
        [
            np.median(legs / trunk),
            np.median(np.linalg.norm(xy[:, 5] - xy[:, 6], axis=1) / trunk),
            np.median(np.linalg.norm(xy[:, 11] - xy[:, 12], axis=1) / trunk),
            np.quantile(np.linalg.norm(ankles, axis=1) / trunk, 0.9),
            np.quantile(np.linalg.norm(wrists, axis=1) / trunk, 0.9),
            np.median(lean),
            2 * cadence,
            clarity,
        ]
    )


def _cadence(signal: Floats) -> tuple[float, float]:
    """Fit sinusoids of 0.6 to 1.3 Hz and return the best frequency and the share of variance it explains."""
    time = FRAME_SECONDS * np.arange(len(signal))
    centred = signal - signal.mean()
    best, share = 0.95, -1.0
    for frequency in np.linspace(0.6, 1.3, 29):
        basis = np.stack(
            [np.cos(2 * np.pi * frequency * time), np.sin(2 * np.pi * frequency * time), np.ones_like(time)],
            1,
        )
        fit = basis @ np.linalg.lstsq(basis, centred, rcond=None)[0]
        explained = 1 - float(((centred - fit) ** 2).sum()) / (float((centred**2).sum()) + 1e-9)
        if explained > share:
            best, share = float(frequency), explained
    return best, share


def oracle(split: SplitReader) -> Floats:
    """The attributes themselves, ``(n, D)``; distractors and junk have none and lie far away.

    Clothes are one-hot, body and gait are levels.
    """
    attributes = json.loads((split.root / DESCRIPTION).read_text())["test"]["attributes"]
    names = list(next(iter(attributes.values())))
    table = np.array([[who[name] for name in names] for who in attributes.values()])
    columns = []
    for number, name in enumerate(names):
        values = table[:, number]
        if name in LEVELS:
            columns.append((values / (LEVELS[name] - 1))[:, None])
        else:
            columns.append((values[:, None] == np.unique(values)[None, :]).astype(float))
    code = np.concatenate(columns, 1)
    row_of = {int(pid): row for row, pid in enumerate(attributes)}
    rng = np.random.default_rng(0)
    return np.stack(
        [code[row_of[p]] if p in row_of else 50 + rng.random(code.shape[1]) for p in split.pids.tolist()]
    )


def standardise(features: Floats, cameras: NDArray[np.integer]) -> Floats:
    """Give every column zero mean and unit variance within each camera: no labels, but cameras are known."""
    result = np.zeros(features.shape)
    for camera in np.unique(cameras):
        own = features[cameras == camera]
        result[cameras == camera] = (own - own.mean(0)) / (own.std(0) + 1e-9)
    return result
