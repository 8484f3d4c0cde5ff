"""What is written in a format is read again: our two writers, and tiny ones for the other formats."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.pose_format_writers import (
    SIZE,
    WRITERS,
    mmpose_instance,
    some_images,
    some_poses,
    write_alphapose_grouped,
)
from vidreid.keypoints.formats import open_pose_files
from vidreid.keypoints.formats.coco_writer import CocoImage, write_coco
from vidreid.keypoints.formats.openpifpaf_writer import write_openpifpaf
from vidreid.keypoints.poses import Pose

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

EVERYTHING = some_images(some_poses(track=True))
KEPT = {
    "alphapose": (EVERYTHING, ("box", "score", "track")),
    "coco_results": (some_images(some_poses()), ("box", "score")),
    "posetrack": (some_images(some_poses(track=True, confidence=False)), ("box", "track")),
    "mmpose": (some_images(some_poses()), ("box", "score")),
    "ultralytics": (EVERYTHING, ("box", "track")),
    "kpr": (some_images(some_poses()), ()),
    "pose": (some_images(some_poses(), fewest=1), ()),
    "csv": (some_images(some_poses(), fewest=1), ()),
}
"""What is written in each format, and what beside the joints comes back."""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return lambda: tmp_path_factory.mktemp("poses")


def same(read: list[Pose], written: list[Pose], kept: tuple[str, ...]) -> None:
    assert len(read) == len(written)
    for one, other in zip(read, written, strict=True):
        np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-4)
        for name in kept:
            assert getattr(one, name) == pytest.approx(getattr(other, name))


@pytest.mark.parametrize("form", WRITERS)
@given(data=st.data())
@FEW
def test_every_format_comes_back(fresh, form, data):
    strategy, kept = KEPT[form]
    images = data.draw(strategy)
    skeleton = {"kpr": "coco17"}.get(form)
    source = open_pose_files(WRITERS[form](fresh(), images), form, skeleton=skeleton)
    assert source.skeleton == ("posetrack17" if form == "posetrack" else "coco17")
    for name, people in images.items():
        same(source.poses(name, SIZE), people if form != "pose" else people[:1], kept)


@pytest.mark.parametrize(("group", "key"), [("bodies", "joints"), ("people", "pose_keypoints_2d")])
@given(images=some_images(some_poses(18, box=False, score=False)))
@FEW
def test_the_groupings_of_alphapose_come_back(fresh, group, key, images):
    source = open_pose_files(write_alphapose_grouped(fresh(), images, group, key), "alphapose")
    assert source.skeleton == "openpose18"
    for name, people in images.items():
        same(source.poses(name, SIZE), people, ())


@given(people=st.lists(st.lists(some_poses(), max_size=2), min_size=1, max_size=4), first=st.integers(0, 3))
@FEW
def test_the_frames_of_a_video_come_back(fresh, people, first):
    frames = [
        {"frame_id": first + n, "instances": [mmpose_instance(pose) for pose in found]}
        for n, found in enumerate(people)
    ]
    file = fresh() / "results_clip.json"
    file.write_text(json.dumps({"meta_info": {}, "instance_info": frames}))
    source = open_pose_files(file, "mmpose")
    for n, found in enumerate(people):
        same(source.poses(f"0001/0001C1T0001F{first + n:03}.jpg", SIZE), found, ("box", "score"))


def surer(pose: Pose, by: float) -> Pose:
    keypoints = pose.keypoints.copy()
    there = keypoints[:, 2] > 0
    keypoints[there, 2] = np.clip(keypoints[there, 2] - by, 0.001, 1)
    return Pose(keypoints, pose.box, pose.score, track=pose.track)


# Confidences of more decimals than are written.
ANYBODY = st.builds(surer, some_poses(track=True), st.floats(0, 0.01))


@pytest.mark.parametrize("skeleton", ["coco17", "posetrack17"])
@given(images=some_images(ANYBODY))
@FEW
def test_a_coco_file_holds_what_was_written(fresh, skeleton, images):
    file = fresh() / "keypoints.json"
    write_coco(file, [CocoImage(name, *SIZE) for name in images], images.values(), skeleton)
    source = open_pose_files(file, "coco")
    assert source.skeleton == skeleton
    for name, people in images.items():
        same(source.poses(name, SIZE), people, ("box", "score", "track"))


@given(images=some_images(ANYBODY))
@FEW
def test_openpifpafs_files_hold_what_was_written(fresh, images):
    folder = fresh() / "predictions"
    write_openpifpaf(folder, list(images), images.values())
    source = open_pose_files(folder, "openpifpaf")
    for name, people in images.items():
        same(source.poses(name, SIZE), people, ("box", "score", "track"))
