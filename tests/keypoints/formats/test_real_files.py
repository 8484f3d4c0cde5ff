"""Files that pose tools and data sets really wrote; the numbers were read off them by hand."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidreid.errors import DataError, MissingDataError
from vidreid.keypoints.choice import choose_pose
from vidreid.keypoints.formats import open_pose_files

ANY = (480, 640)


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Path:
    return shared_data / "pose_formats"


def there(pose) -> list[int]:
    return np.flatnonzero(pose.keypoints[:, 2] > 0).tolist()


def test_openpifpaf(real):
    source = open_pose_files(real / "openpifpaf", "openpifpaf")
    people = source.poses("000000081988.jpg", ANY)
    assert source.skeleton == "coco17"
    assert [pose.score for pose in people] == [0.776, 0.753, 0.694, 0.505, 0.486]
    # Missing joints are 0, -3, 0: the face of the first, and in the fourth an ear and both ankles.
    assert [sorted(set(range(17)) - set(there(pose))) for pose in people] == [
        [0, 1, 2],
        [4],
        [],
        [3, 15, 16],
        [4],
    ]
    assert not people[0].keypoints[:3].any()
    assert people[0].keypoints[3].tolist() == [387.92, 149.78, 0.93]
    assert people[3].keypoints[14].tolist() == [194.64, 374.38, 0.21]
    assert people[0].box == (288.19, 142.82, 219.72, 240.64)
    with pytest.raises(MissingDataError, match=r"no file about 000000000001\.jpg"):
        source.poses("000000000001.jpg", ANY)
    one = open_pose_files(real / "openpifpaf" / "000000081988.jpg.predictions.json", "openpifpaf")
    assert len(one.poses("some/folder/000000081988.jpg", ANY)) == 5


KPR = {
    "group1/images/1470_016236_10162360051.jpg": [12, 1, 3],
    "group1/images/1475_016236_10162360059.jpg": [12],
    "group1/images/1479_016236_10162360065.jpg": [9, 5],
    "group2/images/1470_016236_10162360097.jpg": [14],
    "group2/images/1475_016236_10162360063.jpg": [8, 11, 1],
    "group2/images/1479_016236_10162360093.jpg": [5, 5],
}
"""Joints of each person, the target first."""


def test_kpr(real):
    source = open_pose_files(real / "kpr", "kpr")
    for image, counts in KPR.items():
        pixels = cv2.imread(str(real / "kpr" / image))
        people = source.poses(image, pixels.shape[:2])
        assert [len(there(pose)) for pose in people] == counts
        assert [pose.is_target for pose in people] == [True] + [False] * (len(people) - 1)
        assert choose_pose(people, pixels.shape[:2]) is people[0]
    people = source.poses("group1/images/1470_016236_10162360051.jpg", ANY)
    np.testing.assert_allclose(people[0].keypoints[0], [23.489395636, 48.84890669, 1])


def test_kprs_joints_are_posetracks(real):
    """Nobody has ears, the second slot is below the nose and the third above it: neck and top of the head."""
    source = open_pose_files(real / "kpr", "kpr")
    assert source.skeleton == "posetrack17"
    compared = 0
    for image in KPR:
        for pose in source.poses(image, ANY):
            assert not pose.keypoints[3:5].any()
            nose, neck, head_top = pose.keypoints[:3]
            if nose[2] and neck[2] and head_top[2]:
                assert head_top[1] < nose[1] < neck[1]
                compared += 1
    assert compared >= 3


def test_coco_ground_truth(real):
    source = open_pose_files(real / "mmpose" / "coco" / "test_coco.json", "coco")
    assert source.skeleton == "coco17"
    people = {n: source.poses(f"{n:012}.jpg", ANY) for n in (785, 40083, 196141, 197388)}
    assert {n: [len(there(pose)) for pose in found] for n, found in people.items()} == {
        785: [17], 40083: [14, 15, 0], 196141: [15, 15, 0, 12, 17], 197388: [16, 16, 15, 16, 13],
    }  # fmt: skip
    (skier,) = people[785]
    assert skier.keypoints[0].tolist() == [367, 81, 1]
    assert skier.box == pytest.approx((280.79, 44.73, 218.7, 346.68))
    # Visible and hidden joints.
    values = np.unique([pose.keypoints[:, 2] for found in people.values() for pose in found])
    assert values.tolist() == [0, 0.5, 1]
    with pytest.raises(MissingDataError, match=r"says nothing about 000000000001\.jpg"):
        source.poses("000000000001.jpg", ANY)


def test_other_kinds_of_annotations_are_refused(real):
    whole_body = real / "mmpose" / "coco" / "test_keypoint_partition_metric.json"
    with pytest.raises(DataError, match=r"annotation 1: keypoints has 399 numbers instead of 51"):
        open_pose_files(whole_body, "coco")
    detections = real / "mmpose" / "coco" / "test_coco_det_AP_H_56.json"
    with pytest.raises(DataError, match="a list of 118 instead of an object"):
        open_pose_files(detections, "coco")
    with pytest.raises(DataError, match="entry 1: keypoints is null instead of a list of numbers"):
        open_pose_files(detections, "coco_results")


@pytest.mark.parametrize("where", ["val", "test_posetrack18_val.json"])
def test_posetrack18(real, where):
    source = open_pose_files(real / "mmpose" / "posetrack18" / "annotations" / where, "posetrack")
    assert source.skeleton == "posetrack17"
    people = {
        video: source.poses(f"images/val/{video}_mpii_test/000000.jpg", (1080, 1920))
        for video in ("012834", "009473", "003418")
    }
    assert {video: [len(there(pose)) for pose in found] for video, found in people.items()} == {
        "012834": [11, 14, 11, 15, 12, 13, 14, 14, 13, 11, 14], "009473": [14, 15], "003418": [11],
    }  # fmt: skip
    first = people["012834"][0]
    np.testing.assert_allclose(
        first.keypoints[:3, :2], [[401, 530], [409.52542, 555.35474], [392.85593, 510.10895]]
    )
    assert there(first) == [0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12]
    assert not first.keypoints[3:5].any()
    assert [pose.track for pose in people["009473"]] == [0, 1]
    # Below the folder of the images, the video alone names the frame.
    assert len(source.poses("009473_mpii_test/000000.jpg", (1080, 1920))) == 2


def test_posetracks_joints_are_recognised_whatever_the_format_is_called(real):
    source = open_pose_files(
        real / "mmpose" / "posetrack18" / "annotations" / "val" / "003418_mpii_test.json", "coco"
    )
    assert source.skeleton == "posetrack17"
    (pose,) = source.poses("003418_mpii_test/000000.jpg", ANY)
    assert pose.keypoints[16].tolist() == [0, 0, 0]
    assert pose.keypoints[14].tolist() == [1416, 429, 1]


def test_a_folder_with_other_files_is_refused(real):
    with pytest.raises(DataError, match="a list of 278 instead of an object"):
        open_pose_files(real / "mmpose" / "posetrack18" / "annotations", "posetrack")
