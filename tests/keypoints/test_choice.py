"""Who of several people a crop is about; each rule takes another."""

import numpy as np
import pytest

from vidreid.keypoints.choice import choose_pose, joints_box, pose_score
from vidreid.keypoints.poses import Pose

SIZE = (200, 100)


def person(box=None, score=None, is_target=None, joints=()):
    keypoints = np.zeros((17, 3))
    for joint, (x, y, confidence) in enumerate(joints):
        keypoints[joint] = x, y, confidence
    return Pose(keypoints, box, score, is_target)


# Who fills the crop but for its edges; a passer-by who is surest; a hand in the middle; the marked one.
WHOLE = person((5, 5, 90, 190), 0.6)
SUREST = person((60, 40, 60, 120), 0.9)
MIDDLE = person((45, 90, 10, 20), 0.5)
MARKED = person((0, 50, 40, 120), 0.3, is_target=True)
CROWD = [SUREST, MIDDLE, WHOLE, MARKED]


def test_each_rule_takes_another_person():
    taken = {rule: choose_pose(CROWD, SIZE, rule) for rule in ("target", "score", "centre", "overlap")}
    assert taken == {"target": MARKED, "score": SUREST, "centre": MIDDLE, "overlap": WHOLE}
    assert choose_pose(CROWD, SIZE) is MARKED


def test_the_overlap_is_weighted_as_told():
    # 1.0 * (1 + 0.2 / 1) / 2 = 0.6 against 0.5 and against 0.7 for the surest.
    poor, half, more = person((0, 0, 100, 200), 0.2), person((0, 0, 100, 100), 1), person((0, 0, 100, 140), 1)
    assert choose_pose([half, poor], SIZE, "overlap") is poor
    assert choose_pose([more, poor], SIZE, "overlap") is more
    # Out of the crop counts against: 100 x 200 of 300 x 200.
    giant = person((-100, 0, 300, 200), 1)
    assert choose_pose([giant, half], SIZE, "overlap") is half


def test_scores_of_any_scale_and_none():
    assert choose_pose([person((0, 0, 50, 200), 6.1), person((0, 0, 90, 200), 4)], SIZE, "overlap").score == 4
    one, other = person((0, 0, 50, 200), -2), person((0, 0, 60, 200), -3)
    assert choose_pose([one, other], SIZE, "overlap") is other
    unscored = person(joints=[(1, 1, 1)] * 17)
    assert pose_score(unscored) == 1
    assert choose_pose([SUREST, unscored], SIZE, "score") is unscored


def test_joints_stand_for_a_box():
    joints = person(joints=[(10, 20, 0.5), (30, 100, 0.5), (500, 500, 0)])
    assert joints_box(joints) == (10, 20, 21, 81)
    assert joints_box(person()) is None
    empty_box = person((50, 50, 0, 0), joints=[(10, 20, 0.5), (89, 180, 0.5)])
    assert choose_pose([joints, empty_box], SIZE, "overlap") is empty_box
    assert choose_pose([person((0, 0, 9, 9)), person(joints=[(50, 100, 1)])], SIZE, "centre").box is None


@pytest.mark.parametrize("rule", ["target", "score", "centre", "overlap"])
def test_of_equals_the_first_and_of_nobody_none(rule):
    twins = [person((10, 10, 20, 20), 0.5), person((10, 10, 20, 20), 0.5)]
    assert choose_pose(twins, SIZE, rule) is twins[0]
    assert choose_pose(twins[::-1], SIZE, rule) is twins[1]
    assert choose_pose([], SIZE, rule) is None


def test_who_is_marked_as_another_is_never_the_target():
    other = person((0, 0, 100, 200), 1, is_target=False)
    unmarked = person((0, 0, 30, 30), 0.1)
    assert choose_pose([other, unmarked], SIZE) is unmarked
    assert choose_pose([other], SIZE) is None
    small, large = person((0, 0, 9, 9), is_target=True), person((0, 0, 50, 90), is_target=True)
    assert choose_pose([other, small, large], SIZE) is large


def test_the_marked_one_is_taken_even_without_joints():
    alone = person(is_target=True)
    assert choose_pose([WHOLE, alone], SIZE) is alone


@pytest.mark.parametrize("rule", ["centre", "overlap"])
def test_who_is_outside_the_crop_is_not_taken(rule):
    outside = person((101, 0, 50, 200), 5)
    assert choose_pose([outside, MIDDLE], SIZE, rule) is MIDDLE
    assert choose_pose([outside, person()], SIZE, rule) is None


def test_an_unknown_rule_is_answered_with_the_choices():
    with pytest.raises(ValueError, match="'biggest': choose one of target, score, centre, overlap"):
        choose_pose([], SIZE, "biggest")
