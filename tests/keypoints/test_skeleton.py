"""Skeletons as graphs, and the way from stored keypoints to their joints."""

import numpy as np
import pytest

from vidreid.keypoints.layouts import select_joints
from vidreid.keypoints.skeleton import BODY12, COCO17, POSETRACK15, SKELETONS

# PoseTrack18's slots by name.
POSETRACK17_NAMES = ("nose", "neck", "head_top", "left_ear", "right_ear", *COCO17.names[5:])


def _stored(*shape, seed=0):
    """Keypoints ``(..., 17, 3)`` of which every joint is there."""
    return np.random.default_rng(seed).uniform(0.1, 0.9, (*shape, 17, 3)).astype(np.float32)


@pytest.mark.parametrize("name", SKELETONS)
def test_every_skeleton_is_whole(name):
    skeleton = SKELETONS[name]
    count = len(skeleton)
    assert len(set(skeleton.names)) == count
    assert list(skeleton.groups)[:3] == ["whole", "upper", "lower"]
    assert list(skeleton.groups)[-2:] == ["left_arm_right_leg", "right_arm_left_leg"]
    assert sorted(skeleton.groups["whole"]) == list(range(count))
    assert sorted(skeleton.groups["upper"] + skeleton.groups["lower"]) == list(range(count))
    swapped = {"left": "right", "right": "left"}
    for name, other in zip(skeleton.names, skeleton.mirror, strict=True):
        side, _, rest = name.partition("_")
        assert skeleton.names[other] == (f"{swapped[side]}_{rest}" if side in swapped else name)
    edges = {frozenset(edge) for edge in skeleton.edges}
    assert len(edges) == len(skeleton.edges)
    # The mirrored skeleton has the same limbs.
    assert {frozenset(skeleton.mirror[joint] for joint in edge) for edge in edges} == edges


@pytest.mark.parametrize("name", SKELETONS)
def test_the_pairs_join_an_arm_with_the_leg_of_the_other_side(name):
    skeleton = SKELETONS[name]
    for arm, leg in (("left", "right"), ("right", "left")):
        group = skeleton.groups[f"{arm}_arm_{leg}_leg"]
        assert {skeleton.names[joint] for joint in group} == {
            f"{arm}_{joint}" for joint in ("shoulder", "elbow", "wrist")
        } | {f"{leg}_{joint}" for joint in ("hip", "knee", "ankle")}


def test_posetrack15_is_one_piece():
    reached = {0}
    for _ in POSETRACK15.edges:
        reached |= {joint for edge in POSETRACK15.edges if reached & set(edge) for joint in edge}
    assert len(POSETRACK15.edges) == 16
    assert reached == set(range(15))
    assert {POSETRACK15.names[joint] for joint in POSETRACK15.groups["head"]} == {"neck", "nose", "head_top"}


@pytest.mark.parametrize("layout", ["coco17", "posetrack17"])
def test_body12_is_the_same_in_every_layout(layout):
    stored = _stored(2, 4)
    selected = select_joints(stored, "body12", layout)
    assert selected.shape == (2, 4, 12, 3)
    for joint, name in enumerate(BODY12.names):
        np.testing.assert_array_equal(selected[:, :, joint], stored[:, :, COCO17.names.index(name)])


def test_coco17_from_posetrack_lacks_eyes_and_ears():
    stored = _stored(3)
    selected = select_joints(stored, "coco17", "posetrack17")
    assert (selected[:, 1:5] == 0).all()
    np.testing.assert_array_equal(selected[:, [0, *range(5, 17)]], stored[:, [0, *range(5, 17)]])
    np.testing.assert_array_equal(select_joints(stored, "coco17"), stored)
    np.testing.assert_array_equal(stored, _stored(3))


def test_posetrack15_from_posetrack_is_found_by_name():
    stored = _stored(3)
    selected = select_joints(stored, "posetrack15", "posetrack17")
    for joint, name in enumerate(POSETRACK15.names):
        np.testing.assert_array_equal(selected[:, joint], stored[:, POSETRACK17_NAMES.index(name)])
    # The published way back, from 15 joints to the 17 slots.
    back = [13, 12, 14, None, None, 9, 8, 10, 7, 11, 6, 3, 2, 4, 1, 5, 0]
    for slot, joint in enumerate(back):
        if joint is not None:
            np.testing.assert_array_equal(selected[:, joint], stored[:, slot])


def test_posetrack15_from_coco_tells_neck_and_head_by_hand():
    stored = np.zeros((1, 17, 3), dtype=np.float32)
    stored[0, 0] = 30, 20, 0.9  # nose
    stored[0, 1] = 28, 18, 1.0  # an eye, which has no place
    stored[0, 5] = 40, 50, 0.8
    stored[0, 6] = 24, 54, 0.5
    stored[0, 15] = 38, 120, 0.7
    selected = select_joints(stored, "posetrack15")[0]
    named = dict(zip(POSETRACK15.names, selected.tolist(), strict=True))
    assert named["neck"] == [32, 52, 0.5]
    assert named["head_top"] == [28, -12, 0.5]
    assert named["nose"] == pytest.approx([30, 20, 0.9])
    assert named["left_ankle"] == pytest.approx([38, 120, 0.7])
    assert selected.dtype == np.float32
    assert (selected[:, 2] > 0).sum() == 6


@pytest.mark.parametrize(
    ("missing", "lost"), [(5, {"neck", "head_top"}), (6, {"neck", "head_top"}), (0, {"head_top"})]
)
def test_nothing_is_told_from_a_missing_joint(missing, lost):
    stored = _stored(1)
    stored[0, missing] = 3.0, -3.0, 0.0  # missing, whatever the coordinates
    selected = select_joints(stored, "posetrack15")[0]
    gone = {name for name, joint in zip(POSETRACK15.names, selected, strict=True) if not joint.any()}
    assert gone == lost


def test_unknown_names_are_answered_with_the_choices():
    with pytest.raises(ValueError, match="'h36m': choose one of coco17, body12, posetrack15"):
        select_joints(_stored(1), "h36m")
    with pytest.raises(ValueError, match="'openpose': choose one of coco17, posetrack17"):
        select_joints(_stored(1), "body12", "openpose")
