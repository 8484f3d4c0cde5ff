"""Exchanges of left and right in motions made by hand."""

import numpy as np

from vidreid.data.inspection.swaps import count_swaps


def _walker(frames, apart):
    """12 joints in pairs, ``apart`` pixels between left and right, moving a pixel a frame."""
    left = np.stack([np.full(6, 40.0 + apart / 2), np.linspace(20, 110, 6)], axis=1)
    right = left - [apart, 0]
    still = np.stack([left, right], axis=1).reshape(12, 2)
    return still + np.arange(frames)[:, None, None] * [1.0, 0.0]


def _exchange(points, frames):
    points = points.copy()
    points[frames] = points[frames][:, [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10]]
    return points


def _count(points, follows=None):
    follows = np.ones(len(points) - 1, bool) if follows is None else follows
    return count_swaps(points, np.full(len(points), 128.0), follows)


def test_steady_motion_has_none():
    assert _count(_walker(10, apart=20)) == (9, 0, 10, 0)


def test_one_frame_and_a_run_of_frames():
    # In and out again, then in for the rest.
    assert _count(_exchange(_walker(10, 20), [3])) == (9, 2, 10, 1)
    assert _count(_exchange(_walker(10, 20), [3, 7, 8, 9])) == (9, 3, 10, 4)
    # The majority counts as right.
    assert _count(_exchange(_walker(10, 20), list(range(8)))) == (9, 1, 10, 2)


def test_a_person_from_the_side_tells_nothing():
    assert _count(_exchange(_walker(10, apart=2), [3, 6])).steps == 0


def test_tracklets_are_judged_apart():
    points = np.concatenate([_walker(5, 20), _exchange(_walker(5, 20), list(range(5)))])
    follows = np.arange(9) != 4
    assert _count(points, follows) == (8, 0, 10, 0)


def test_missing_joints_are_left_out():
    points = _exchange(_walker(10, 20), [3])
    points[:, [1, 4]] = np.nan
    assert _count(points) == (9, 2, 10, 1)
    points[:, [7, 9]] = np.nan  # two pairs remain
    assert _count(points).steps == 0
    assert _count(points[:1]) == (0, 0, 0, 0)
