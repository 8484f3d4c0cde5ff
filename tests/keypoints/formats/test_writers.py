"""The files that are written, by hand, and that none of them is ever half."""

import json

import numpy as np
import pytest

from vidreid.keypoints.formats.coco_writer import CocoImage, write_coco
from vidreid.keypoints.formats.openpifpaf_writer import write_openpifpaf
from vidreid.keypoints.poses import Pose


def a_person(**facts) -> Pose:
    keypoints = np.zeros((17, 3))
    keypoints[0] = 10.126, 20, 0.9
    keypoints[5] = 4, 30, 0.5
    keypoints[16] = 12, 80, 0.00004  # rounds to nothing
    return Pose(keypoints, **facts)


def test_a_coco_file_is_as_coco_has_it(tmp_path):
    file = tmp_path / "new" / "keypoints.json"
    images = [CocoImage("a.jpg", 256, 128), CocoImage("0002/b.jpg", 200, 100)]
    write_coco(
        file, images, [[], [a_person(), Pose(np.zeros((17, 3))), a_person(box=(1, 2, 30, 40.5), score=2.5)]]
    )
    content = json.loads(file.read_text())
    assert content["images"][1] == {"id": 2, "file_name": "0002/b.jpg", "height": 200, "width": 100}
    (category,) = content["categories"]
    assert category["keypoints"][5] == "left_shoulder"
    assert [6, 7] in category["skeleton"]  # counted from 1: the shoulders
    first, second = content["annotations"]  # nobody stands for the pose without joints
    assert (first["id"], first["image_id"], first["category_id"], first["iscrowd"]) == (1, 2, 1, 0)
    assert first["keypoints"][:3] == [10.13, 20.0, 2]
    assert first["keypoints"][15:18] == [4.0, 30.0, 1]
    assert first["keypoints"][48:] == [0.0, 0.0, 0]
    assert first["num_keypoints"] == 2
    assert first["keypoint_scores"][0] == 0.9
    # Of pixels 4 to 12 and 20 to 80: a joint takes one.
    assert first["bbox"] == pytest.approx([4, 20, 9, 61])
    assert first["area"] == pytest.approx(9 * 61)
    assert "score" not in first
    assert (second["bbox"], second["area"], second["score"]) == ([1, 2, 30, 40.5], 1215, 2.5)


def test_posetracks_joints_are_named_as_posetrack_names_them(tmp_path):
    file = tmp_path / "keypoints.json"
    write_coco(file, [CocoImage("a.jpg", 9, 9)], [[a_person()]], "posetrack17")
    (category,) = json.loads(file.read_text())["categories"]
    assert category["keypoints"][:3] == ["nose", "head_bottom", "head_top"]
    with pytest.raises(ValueError, match="not of 'openpose18'"):
        write_coco(file, [], [], "openpose18")


def test_openpifpafs_file_marks_missing_joints_as_its_own_do(tmp_path):
    write_openpifpaf(tmp_path / "out", ["0001/a.jpg", "b.jpg"], [[a_person(track=4)], []])
    (person,) = json.loads((tmp_path / "out" / "0001" / "a.jpg.predictions.json").read_text())
    assert person["keypoints"][:6] == [10.13, 20.0, 0.9, 0.0, -3.0, 0.0]
    assert person["keypoints"][48:] == [0.0, -3.0, 0.0]
    assert person["score"] == pytest.approx(1.40004 / 17, abs=1e-4)
    assert (person["category_id"], person["id_"]) == (1, 4)
    assert json.loads((tmp_path / "out" / "b.jpg.predictions.json").read_text()) == []


def a_failing_stream():
    yield [a_person()]
    raise OSError(28, "no space")


def test_nothing_half_is_left(tmp_path):
    file = tmp_path / "keypoints.json"
    file.write_text("old")
    images = [CocoImage("a.jpg", 9, 9), CocoImage("b.jpg", 9, 9)]
    with pytest.raises(OSError, match="no space"):
        write_coco(file, images, a_failing_stream())
    with pytest.raises(ValueError, match="shorter"):
        write_coco(file, images, [[]])
    assert file.read_text() == "old"
    with pytest.raises(OSError, match="no space"):
        write_openpifpaf(tmp_path / "out", ["a.jpg", "b.jpg"], a_failing_stream())
    assert [path.name for path in tmp_path.iterdir()] == ["keypoints.json"]


def test_openpifpafs_files_stay_in_their_folder(tmp_path):
    for path in ("../a.jpg", "/a.jpg", ""):
        with pytest.raises(ValueError, match="no path below a folder"):
            write_openpifpaf(tmp_path / "out", [path], [[]])
    with pytest.raises(ValueError, match=r"COCO's 17 joints, not \(18, 3\)"):
        write_openpifpaf(tmp_path / "out", ["a.jpg"], [[Pose(np.ones((18, 3)))]])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(FileExistsError, match="exists already"):
        write_openpifpaf(tmp_path / "out", ["a.jpg"], [[]])
