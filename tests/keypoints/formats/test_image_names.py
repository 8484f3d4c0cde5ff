"""Which of the images that files name is meant."""

import json

import pytest

from vidreid.errors import DataError, MissingDataError
from vidreid.keypoints.formats import open_pose_files
from vidreid.keypoints.formats.image_names import NamedImages, NumberedImages

PATHS = ["cam_a/person_0001/0001.png", "cam_a/person_0002/0001.png", "cam_a/person_0002/0002.png"]


def test_the_path_comes_first():
    images = NamedImages(PATHS, "the file")
    assert [images.find(path) for path in PATHS] == [0, 1, 2]


@pytest.mark.parametrize(
    ("names", "image"),
    [
        (["0001C1T0001F001.jpg", "other.jpg"], "0001/0001C1T0001F001.jpg"),
        (["0001C1T0001F001"], "0001/0001C1T0001F001.jpg"),
        (["0001C1T0001F001.png"], "0001/0001C1T0001F001.JPG"),
        (["/data/mars/bbox_train/0001/a.jpg", "/data/mars/bbox_train/0002/a.jpg"], "0001/a.jpg"),
        (["C:\\mars\\0001\\a.jpg", "C:\\mars\\0002\\a.jpg"], "0001/a.jpg"),
        (["./0001/a.jpg", "./0002/a.jpg"], "0001/a.jpg"),
        (["predictions/a.jpg"], "0001/a.jpg"),
        (["0001/a.b.jpg", "0001/a.c.jpg"], "0001/a.b.jpg"),
        (["0001/a.jpg", "0001/a.png"], "0001/a.jpg"),
    ],
)
def test_names_of_many_tools(names, image):
    assert NamedImages(names, "the file").find(image) == 0


def test_an_image_of_a_known_folder_is_just_not_named():
    images = NamedImages([f"multi_shot/{path}" for path in PATHS], "the file")
    assert images.find("cam_a/person_0001/0002.png") is None
    assert images.find("cam_a/person_0001/0003.png") is None
    assert images.find("cam_a/person_0001/0001.png") == 0


def test_what_may_be_two_is_refused():
    images = NamedImages(PATHS, "the file")
    with pytest.raises(
        DataError, match=r"the file: x/0001\.png may be cam_a/person_0001/.* or cam_a/person_0002"
    ):
        images.find("x/0001.png")
    assert images.find("x/0002.png") == 2
    with pytest.raises(DataError, match=r"a\.jpeg may be 0001/a\.jpg or 0001/a\.png"):
        NamedImages(["0001/a.jpg", "0001/a.png"], "the file").find("0001/a.jpeg")


def test_one_name_is_not_the_image_of_two_folders():
    images = NamedImages(["0001.png"], "the file")
    assert images.find("cam_a/person_0001/0001.png") == 0
    assert images.find("cam_a/person_0001/0001.png") == 0
    assert images.find("multi_shot/cam_a/person_0001/0001.png") == 0
    with pytest.raises(DataError, match=r"may be cam_a/person_0002/0001\.png or .* in cam_a/person_0001"):
        images.find("cam_a/person_0002/0001.png")


def test_numbers_of_images():
    images = NumberedImages([785, 3], int, "the file")
    assert images.find("val2017/000000000785.jpg") == 0
    assert images.find("val2017/000000000001.jpg") is None
    with pytest.raises(DataError, match=r"number 785 may be other/785\.jpg or an image in val2017"):
        images.find("other/785.jpg")
    with pytest.raises(DataError, match=r"speaks of images by numbers, and 0001/x\.jpg invalid literal"):
        images.find("0001/x.jpg")


def entry(image_id):
    return {"image_id": image_id, "category_id": 1, "keypoints": [3, 4, 0.5] * 17, "score": 0.5}


def test_coco_results_of_numbers_alone_need_images_called_after_them(tmp_path):
    file = tmp_path / "results.json"
    file.write_text(json.dumps([entry(785), entry(40083), entry(785)]))
    source = open_pose_files(file, "coco_results")
    assert len(source.poses("000000000785.jpg", (9, 9))) == 2
    assert len(source.poses("COCO_val2014_000000040083.jpg", (9, 9))) == 1
    assert source.poses("000000000001.jpg", (9, 9)) == []
    with pytest.raises(DataError, match="put the JSON file with the images beside the results"):
        source.poses("0001/0001C1T0001F001.jpg", (9, 9))
    (tmp_path / "images.json").write_text(
        json.dumps({"images": [{"id": 785, "file_name": "0001/0001C1T0001F001.jpg"},
                               {"id": 40083, "file_name": "0001/0001C1T0001F002.jpg"},
                               {"id": 1, "file_name": "0001/0001C1T0001F003.jpg"}]})
    )  # fmt: skip
    source = open_pose_files(tmp_path, "coco_results")
    found = [len(source.poses(f"0001/0001C1T0001F00{n}.jpg", (9, 9))) for n in (1, 2, 3)]
    assert found == [2, 1, 0]
    with pytest.raises(MissingDataError, match="says nothing about 0001/0001C1T0001F004"):
        source.poses("0001/0001C1T0001F004.jpg", (9, 9))


def test_coco_results_that_name_files(tmp_path):
    file = tmp_path / "results.json"
    file.write_text(json.dumps([entry("0001/a.jpg")]))
    source = open_pose_files(file, "coco_results")
    assert len(source.poses("0001/a.jpg", (9, 9))) == 1
    assert source.poses("0001/b.jpg", (9, 9)) == []


def test_a_video_is_one_folder(tmp_path):
    instance = {"keypoints": [[1, 2]] * 17, "keypoint_scores": [1.5] * 17, "bbox": [1, 1, 5, 9]}
    file = tmp_path / "results_clip.json"
    file.write_text(json.dumps([{"frame_id": 1, "instances": [instance]}, {"frame_id": 2, "instances": []}]))
    source = open_pose_files(file, "mmpose")
    (pose,) = source.poses("0001/0001C1T0001F001.jpg", (9, 9))
    assert pose.box == (1, 1, 4, 8)
    assert pose.keypoints[0].tolist() == [1, 2, 1]
    assert source.poses("0001/0001C1T0001F002.jpg", (9, 9)) == []
    with pytest.raises(MissingDataError, match="says nothing about 0001/0001C1T0001F003"):
        source.poses("0001/0001C1T0001F003.jpg", (9, 9))
    with pytest.raises(DataError, match=r"number 1 may be 0002/0002C1T0001F001\.jpg or an image in 0001"):
        source.poses("0002/0002C1T0001F001.jpg", (9, 9))


def test_nobody_where_a_file_is_missing_if_asked_so(tmp_path):
    (tmp_path / "0001").mkdir()
    (tmp_path / "0001" / "a.pose").write_text(str([[1, 2, 0.5]] * 17))
    with pytest.raises(MissingDataError, match=r"no file about 0001/b\.jpg \(0001/b\.pose\): run"):
        open_pose_files(tmp_path, "pose").poses("0001/b.jpg", (9, 9))
    source = open_pose_files(tmp_path, "pose", missing="nobody")
    assert source.poses("0001/b.jpg", (9, 9)) == []
    assert len(source.poses("0001/a.jpg", (9, 9))) == 1
    # Files in folders of other names are found by their own.
    assert len(open_pose_files(tmp_path, "pose").poses("other/a.jpg", (9, 9))) == 1
