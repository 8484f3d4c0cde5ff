"""What the values of each format mean."""

import json

import pytest

from vidreid.keypoints.formats import open_pose_files
from vidreid.keypoints.skeleton import COCO17

JOINTS = [3, 4, 0.5] * 17
ENDINGS = {"coco": ".json", "ultralytics": ".txt"}


def person(**changes) -> dict:
    return {"image_id": "a.jpg", "keypoints": JOINTS, "score": 0.5, "box": [1, 2, 3, 4], **changes}


def annotated(*annotations: dict, **changes) -> dict:
    people = [{"image_id": 1, "keypoints": JOINTS, "bbox": [1, 2, 3, 4], **a} for a in annotations]
    return {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": people, **changes}


def test_what_is_no_number_makes_a_joint_missing(tmp_path):
    joints = [float("nan"), 4, 0.5, 3, float("inf"), 0.5, 3, 4, float("nan"), 3, 4, -1, 3, 4, 7, *JOINTS[15:]]
    file = tmp_path / "alphapose-results.json"
    file.write_text(json.dumps([person(keypoints=joints, box=[1, 2, float("nan"), 4], score=float("inf"))]))
    (pose,) = open_pose_files(tmp_path, "alphapose").poses("0001/a.jpg", (9, 9))
    assert pose.keypoints[:6, 2].tolist() == [0, 0, 0, 0, 1, 0.5]
    assert not pose.keypoints[:4].any()
    assert pose.box is None
    assert pose.score is None


def test_crowds_and_other_categories_are_no_people(tmp_path):
    file = tmp_path / "a.json"
    names = list(COCO17.names)
    content = annotated(
        {"category_id": 1, "track_id": 4},
        {"category_id": 1, "iscrowd": 1},
        {"category_id": 3, "keypoints": [1, 2, 2]},
        {"category_id": 1, "keypoints": [0] * 51, "bbox": []},
        {"category_id": 1, "keypoints": [0] * 51, "person_id": None, "track_id": 5},
        categories=[{"id": 3, "name": "car"}, {"id": 1, "keypoints": names}],
    )
    file.write_text(json.dumps(content))
    # Nothing is known of the fourth: neither joint nor box.
    assert [pose.track for pose in open_pose_files(file, "coco").poses("a.jpg", (9, 9))] == [4, 5]


@pytest.mark.parametrize(
    ("values", "read"),
    [([0, 1, 2], [0, 0.5, 1]), ([0, 1, 1], [0, 1, 1]), ([0, 1, 0.25], [0, 1, 0.25])],
)
@pytest.mark.parametrize("form", ["coco", "ultralytics"])
def test_visibilities_and_confidences_are_told_apart(tmp_path, form, values, read):
    joints = [[0.25, 0.5, value] for value in (values * 6)[:17]]
    flat = [number for joint in joints for number in joint]
    file = tmp_path / f"a{ENDINGS[form]}"
    text = " ".join(map(str, [0, 0.5, 0.5, 1, 1, *flat]))
    file.write_text(json.dumps(annotated({"keypoints": flat})) if form == "coco" else text)
    (pose,) = open_pose_files(file, form).poses("a.jpg", (256, 128))
    assert pose.keypoints[:3, 2].tolist() == read
    there = [32, 128] if form == "ultralytics" else [0.25, 0.5]
    assert pose.keypoints[1, :2].tolist() == there


def test_labels_of_two_dimensions_and_what_follows_them(tmp_path):
    file = tmp_path / "a.txt"
    line = " ".join(map(str, [0, 0.5, 0.5, 0.5, 0.25, 0, 0, *[0.5, 0.25] * 16]))
    file.write_text("\n".join([line, f"{line} 0.75", f"{line} 12", f"{line} 0.75 3"]))
    people = open_pose_files(file, "ultralytics").poses("a.jpg", (200, 100))
    assert [(pose.score, pose.track) for pose in people] == [
        (None, None),
        (0.75, None),
        (None, 12),
        (0.75, 3),
    ]
    assert people[0].keypoints[:2].tolist() == [[0, 0, 0], [50, 50, 1]]
    assert people[0].box == (25, 75, 50, 50)


def test_posetracks_scores_are_confidences(tmp_path):
    file = tmp_path / "a.json"
    people = ({"scores": [0.25] * 17, "keypoints": [3, 4, 1] * 16 + [0, 0, 0]}, {"keypoints": [3, 4, 1] * 17})
    file.write_text(json.dumps(annotated(*people)))
    scored, plain = open_pose_files(file, "posetrack").poses("a.jpg", (9, 9))
    assert scored.keypoints[[0, 16]].tolist() == [[3, 4, 0.25], [0, 0, 0]]
    assert plain.keypoints[0].tolist() == [3, 4, 1]


def test_alphapose_takes_cocos_joints_of_larger_models(tmp_path):
    file = tmp_path / "a.json"
    file.write_text(json.dumps([person(keypoints=[*JOINTS, *[9, 9, 6] * 9], idx=[[3.0]])]))
    (pose,) = open_pose_files(file, "alphapose").poses("a.jpg", (9, 9))
    assert pose.keypoints.tolist() == [[3, 4, 0.5]] * 17
    assert pose.track == 3
