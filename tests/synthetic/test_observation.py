import numpy as np
import pytest

from vidreid.keypoints.skeleton import COCO17
from vidreid.synthetic.observation import ABSENT, SELF_HIDDEN, VISIBLE, detect

FRAMES, HEIGHT, WIDTH = 400, 128, 64


def standing(confidence: float = VISIBLE, scale: float = 1.0) -> np.ndarray:
    x = np.array([32, 33, 31, 35, 29, 40, 24, 42, 22, 43, 21, 37, 27, 38, 26, 38, 26])
    y = np.array([15, 13, 13, 14, 14, 30, 30, 48, 48, 64, 64, 66, 66, 90, 90, 115, 115])
    joints = np.stack([32 + (x - 32) * scale, 64 + (y - 64) * scale, np.full(17, confidence)], -1)
    return np.tile(joints[None].astype(float), (FRAMES, 1, 1))


def observe(
    true: np.ndarray, other: np.ndarray | None = None, overlap: float = 0.0, seed: int = 0
) -> np.ndarray:
    return detect(np.random.default_rng(seed), true, other, np.full(len(true), overlap), HEIGHT, WIDTH)


def error(seen: np.ndarray, true: np.ndarray) -> float:
    gap = np.linalg.norm(seen[..., :2] - true[..., :2], axis=-1)[seen[..., 2] > 0]
    return float(np.median(gap))


def test_jitter_is_proportional_to_the_person() -> None:
    large, half = standing(), standing(scale=0.5)
    assert error(observe(large), large) == pytest.approx(2 * error(observe(half), half), rel=0.1)
    assert 0.5 < error(observe(large), large) < 3


def test_hidden_joints_are_missing_or_worse_and_less_sure() -> None:
    clear, hidden = observe(standing()), observe(standing(SELF_HIDDEN))
    # The pose estimator must see somebody at all, so a third of the joints stays visible here.
    mixed = standing()
    mixed[:, 7:, 2] = ABSENT
    covered = observe(mixed)
    for seen, low, high in ((clear[:, 7:], 0.0, 0.08), (covered[:, 7:], 0.5, 0.8)):
        assert low <= np.mean(seen[..., 2] == 0) <= high
    assert clear[..., 2][clear[..., 2] > 0].mean() > covered[:, 7:, 2][covered[:, 7:, 2] > 0].mean()
    assert (hidden == 0).all()  # nobody is detected where no joint is seen


def test_some_false_joints_are_very_sure() -> None:
    mixed = standing()
    mixed[:, 7:, 2] = ABSENT
    seen = observe(mixed)[:, 7:]
    far = np.linalg.norm(seen[..., :2] - mixed[:, 7:, :2], axis=-1) > 15
    assert np.mean(far & (seen[..., 2] > 0.6)) > 0.01


def test_left_and_right_are_swapped_now_and_then() -> None:
    true = standing()
    seen = observe(true)
    mirrored = true[:, list(COCO17.mirror)]
    legs = slice(11, 17)
    right_way = np.linalg.norm(seen[:, legs, :2] - true[:, legs, :2], axis=-1).mean(1)
    wrong_way = np.linalg.norm(seen[:, legs, :2] - mirrored[:, legs, :2], axis=-1).mean(1)
    assert 0.005 < np.mean(wrong_way < right_way) < 0.08


def test_missing_joints_are_all_zero_and_the_rest_lies_in_the_crop() -> None:
    true = standing(scale=1.4)  # head and feet outside
    seen = observe(true)
    missing = seen[..., 2] == 0
    assert (seen[missing] == 0).all()
    assert missing[:, [15, 16]].all()
    found = seen[~missing]
    assert (found[:, 0] >= 0).all()
    assert (found[:, 0] <= WIDTH).all()
    assert (found[:, 1] >= 0).all()
    assert (found[:, 1] <= HEIGHT).all()


def test_the_other_ones_skeleton_is_taken_only_where_they_overlap() -> None:
    true, other = standing(), standing()
    other[..., 0] += 14
    for overlap, low, high in ((0.0, 0, 0.01), (0.5, 0.05, 0.4), (0.9, 0.3, 0.9)):
        seen = observe(true, other, overlap)
        trunk = np.median(seen[:, 5:13, 0], axis=1)
        share = np.mean((trunk > 39) & (seen[..., 2] > 0).any(1))
        assert low <= share <= high, overlap
