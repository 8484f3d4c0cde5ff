"""From one skeleton's joints to another's, and into the store."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vidreid.keypoints.layouts import select_joints, stored_layout, to_store
from vidreid.keypoints.poses import Pose
from vidreid.keypoints.skeleton_maps import map_joints, shared_joints
from vidreid.keypoints.tool_skeletons import ALL_SKELETONS, OPENPOSE18, POSETRACK17

PAIRS = list(itertools.permutations(ALL_SKELETONS, 2))


def some_keypoints(skeleton: str) -> st.SearchStrategy[np.ndarray]:
    """Two people, some of whose joints are missing."""
    shape = (2, len(ALL_SKELETONS[skeleton]), 3)
    numbers = hnp.arrays(np.float64, shape, elements=st.integers(0, 64).map(lambda n: n / 64))
    seen = hnp.arrays(np.bool_, shape[:2])
    return st.builds(lambda values, there: values * there[..., None], numbers, seen)


@pytest.mark.parametrize("name", ALL_SKELETONS)
def test_every_skeleton_is_whole(name):
    skeleton = ALL_SKELETONS[name]
    assert len(set(skeleton.names)) == len(skeleton) == len(skeleton.mirror)
    swapped = {"left": "right", "right": "left"}
    for joint, other in zip(skeleton.names, skeleton.mirror, strict=True):
        side, _, rest = joint.partition("_")
        assert skeleton.names[other] == (f"{swapped[side]}_{rest}" if side in swapped else joint)
    edges = {frozenset(edge) for edge in skeleton.edges}
    assert len(edges) == len(skeleton.edges)
    assert {frozenset(skeleton.mirror[joint] for joint in edge) for edge in edges} == edges
    assert max(max(edge) for edge in edges) < len(skeleton)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_there_and_back_keeps_what_both_have(source, target, data):
    keypoints = data.draw(some_keypoints(source))
    before = keypoints.copy()
    back = map_joints(map_joints(keypoints, source, target), target, source)
    assert back.shape == keypoints.shape
    shared = shared_joints(target, source)
    assert set(shared) == set(shared_joints(source, target))
    assert {"left_hip", "right_wrist"} <= set(shared)
    for joint, name in enumerate(ALL_SKELETONS[source].names):
        if name in shared:
            np.testing.assert_array_equal(back[:, joint], keypoints[:, joint])
        elif name not in ("neck", "head_top"):
            assert not back[:, joint].any()
    np.testing.assert_array_equal(keypoints, before)


def mirrored(keypoints: np.ndarray, skeleton: str, width: float) -> np.ndarray:
    flipped = keypoints[..., list(ALL_SKELETONS[skeleton].mirror), :].copy()
    flipped[..., 0] = np.where(flipped[..., 2] > 0, width - flipped[..., 0], flipped[..., 0])
    return flipped


@pytest.mark.parametrize(("source", "target"), PAIRS)
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_mirror_and_map_may_change_places(source, target, data):
    keypoints = data.draw(some_keypoints(source))
    keypoints[keypoints[..., 2] == 0] = 0
    np.testing.assert_allclose(
        map_joints(mirrored(keypoints, source, 1.0), source, target),
        mirrored(map_joints(keypoints, source, target), target, 1.0),
        atol=1e-12,
    )


def test_openpose_to_coco_by_hand():
    # COCO's order in OpenPose's numbers, as its output has always been converted.
    order = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]
    keypoints = np.random.default_rng(0).uniform(0.1, 1, (18, 3))
    np.testing.assert_array_equal(map_joints(keypoints, "openpose18", "coco17"), keypoints[order])


def test_blazepose_to_coco_by_hand():
    order = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    keypoints = np.random.default_rng(0).uniform(0.1, 1, (33, 3))
    np.testing.assert_array_equal(map_joints(keypoints, "blazepose33", "coco17"), keypoints[order])


def test_fifteen_joints_fill_posetracks_slots_by_hand():
    keypoints = np.random.default_rng(0).uniform(0.1, 1, (15, 3))
    slots = map_joints(keypoints, "posetrack15", "posetrack17")
    order = [13, 12, 14, None, None, 9, 8, 10, 7, 11, 6, 3, 2, 4, 1, 5, 0]
    for slot, joint in enumerate(order):
        np.testing.assert_array_equal(slots[slot], 0 if joint is None else keypoints[joint])


def test_neck_and_head_top_of_blazepose_by_hand():
    keypoints = np.zeros((33, 3))
    keypoints[0], keypoints[11], keypoints[12] = (30, 20, 0.9), (40, 50, 0.8), (24, 54, 0.5)
    named = dict(
        zip(POSETRACK17.names, map_joints(keypoints, "blazepose33", "posetrack17").tolist(), strict=True)
    )
    assert named["neck"] == [32, 52, 0.5]
    assert named["head_top"] == [28, -12, 0.5]


def test_a_neck_that_the_tool_has_is_not_told_from_the_shoulders():
    keypoints = np.ones((18, 3))
    neck = OPENPOSE18.names.index("neck")
    keypoints[neck] = 7, 8, 0.25
    slots = map_joints(keypoints, "openpose18", "posetrack17")
    assert slots[1].tolist() == [7, 8, 0.25]
    assert slots[2].tolist() == [2 - 7, 2 - 8, 0.25]
    keypoints[neck] = 0
    assert not map_joints(keypoints, "openpose18", "posetrack17")[1:3].any()


def test_what_is_no_skeleton_or_of_another_is_refused():
    with pytest.raises(ValueError, match="Unknown skeleton 'h36m': choose one of coco17, body12"):
        map_joints(np.ones((17, 3)), "coco17", "h36m")
    with pytest.raises(ValueError, match=r"openpose18 must be \(\.\.\., 18, 3\), not \(17, 3\)"):
        map_joints(np.ones((17, 3)), "openpose18", "coco17")


@pytest.mark.parametrize("skeleton", ["coco17", "posetrack17", "posetrack15", "openpose18", "blazepose33"])
def test_the_store_holds_the_body_of_every_skeleton(skeleton):
    names = ALL_SKELETONS[skeleton].names
    keypoints = np.random.default_rng(0).uniform(0.1, 1, (len(names), 3))
    layout = stored_layout(skeleton)
    assert layout == ("posetrack17" if skeleton.startswith("posetrack") else "coco17")
    stored = to_store(Pose(keypoints), skeleton)
    assert stored.shape == (17, 3)
    for joints in ("body12", "posetrack15"):
        for joint, name in zip(
            select_joints(stored, joints, layout), ALL_SKELETONS[joints].names, strict=True
        ):
            if name in names and not (name == "neck" and layout == "coco17"):
                np.testing.assert_array_equal(joint, keypoints[names.index(name)])
