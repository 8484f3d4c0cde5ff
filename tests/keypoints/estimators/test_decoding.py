"""Outputs of networks, decoded by hand."""

import numpy as np

from vidreid.keypoints.estimators.decoding import decode_heatmaps, decode_simcc


def test_bins() -> None:
    x, y = np.full((1, 3, 8), -1.0), np.full((1, 3, 12), -1.0)
    x[0, 0, 5], y[0, 0, 7] = 0.9, 0.4
    x[0, 1, 0], y[0, 1, 11] = 1.5, 1.2
    x[0, 2, 3], y[0, 2, 3] = 0.7, 0.0
    points, confidence = decode_simcc(x, y, size=(4, 6))
    np.testing.assert_allclose(points, [[[2.5, 3.5], [0.0, 5.5], [1.5, 1.5]]])
    np.testing.assert_allclose(confidence, [[0.4, 1.0, 0.0]])


def test_bins_that_are_no_numbers_are_no_joint() -> None:
    bins = np.full((1, 1, 8), np.nan)
    _, confidence = decode_simcc(bins, bins, size=(4, 4))
    assert confidence.tolist() == [[0.0]]


def test_heatmaps() -> None:
    maps = np.zeros((1, 3, 4, 3))
    maps[0, 0, 2, 1] = 0.8
    maps[0, 0, 2, 2], maps[0, 0, 1, 1] = 0.3, 0.2  # stronger to the right and above
    maps[0, 1, 0, 2] = 0.6
    maps[0, 1, 1, 2] = 0.5  # in a corner there is nothing to weigh this against
    maps[0, 2] = -1.0
    points, confidence = decode_heatmaps(maps, size=(12, 16))
    np.testing.assert_allclose(points[0, :2], [[1.25 * 4, 1.75 * 4], [2 * 4, 0]])
    np.testing.assert_allclose(confidence, [[0.8, 0.6, 0.0]])


def test_heatmaps_beside_a_slow_twin() -> None:
    maps = np.random.default_rng(0).random((3, 5, 7, 6))
    points, confidence = decode_heatmaps(maps, size=(24, 28))
    for n, k in np.ndindex(3, 5):
        one = maps[n, k]
        y, x = (int(i) for i in np.unravel_index(one.argmax(), one.shape))
        at = [float(x), float(y)]
        if 0 < x < 5:
            at[0] += 0.25 if one[y, x + 1] > one[y, x - 1] else -0.25
        if 0 < y < 6:
            at[1] += 0.25 if one[y + 1, x] > one[y - 1, x] else -0.25
        np.testing.assert_allclose(points[n, k], np.array(at) * 4)
        assert confidence[n, k] == one.max()
