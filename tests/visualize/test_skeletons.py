import numpy as np
import pytest

from vidreid.keypoints.skeleton import BODY12, COCO17
from vidreid.visualize.palette import LEFT_SIDE, RIGHT_SIDE
from vidreid.visualize.skeletons import draw_skeleton, skeleton_sheet

FRAME = np.full((64, 32, 3), 90, np.uint8)


def person(confidence=1.0):
    keypoints = np.zeros((12, 3))
    keypoints[:, 0] = [24, 8] * 6  # the person's left is at the right of the picture
    keypoints[:, 1] = np.repeat([10, 20, 30, 32, 45, 60], 2)
    keypoints[:, 2] = confidence
    return keypoints


def test_joints_are_drawn_where_they_are():
    picture = draw_skeleton(FRAME, person(), BODY12, scale=4)
    assert picture.shape == (256, 128, 3)
    for joint, (x, y, _) in enumerate(person()):
        colour = LEFT_SIDE if BODY12.names[joint].startswith("left") else RIGHT_SIDE
        assert tuple(picture[int(y * 4), int(x * 4)]) == colour


def test_limbs_join_joints():
    picture = draw_skeleton(FRAME, person(), BODY12, scale=4)
    assert tuple(picture[4 * 38, 4 * 24]) == LEFT_SIDE  # between the left hip and knee
    assert tuple(picture[4 * 38, 4 * 16]) == (90, 90, 90)


def test_missing_joints_and_their_limbs_are_not_drawn():
    assert (draw_skeleton(FRAME, person(0.0), BODY12) == 90).all()
    keypoints = person()
    keypoints[8, 2] = 0  # left knee
    picture = draw_skeleton(FRAME, keypoints, BODY12, scale=4)
    assert (picture[4 * 34 : 4 * 58, 4 * 20 : 4 * 28] == 90).all()


def test_low_confidence_fades():
    def strength(confidence):
        picture = draw_skeleton(FRAME, person(confidence), BODY12).astype(int)
        return np.abs(picture - 90).sum()

    assert strength(1.0) > 1.3 * strength(0.6) > 1.3 * strength(0.3) > 0
    assert strength(0.1) == strength(0.3)


def test_the_frame_itself_stays_clean():
    before = FRAME.copy()
    draw_skeleton(FRAME, person(), BODY12, scale=1)
    assert np.array_equal(FRAME, before)


def test_sheet():
    sheet = skeleton_sheet(
        [([FRAME] * 3, np.stack([person()] * 3)), ([FRAME], person()[None])], BODY12, 128, gap=5
    )
    assert sheet.shape == (5 + 2 * (128 + 5), 3 * 64 + 4 * 5, 3)
    assert (sheet[138:266, 5 + 64 :] == 255).all()  # the second row has one frame


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="17 joints"):
        draw_skeleton(FRAME, person(), COCO17)
    with pytest.raises(ValueError, match="no frame"):
        skeleton_sheet([([], np.zeros((0, 12, 3)))], BODY12)
