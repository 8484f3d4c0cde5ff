"""Damaged and foreign files: one sentence each, with the file and the place in it."""

import json

import numpy as np
import pytest

from vidreid.errors import DataError, MissingDataError
from vidreid.keypoints.formats import FORMATS, open_pose_files

JOINTS = [3, 4, 0.5] * 17
PERSON = {"image_id": "a.jpg", "keypoints": JOINTS, "score": 0.5, "box": [1, 2, 3, 4]}
IMAGES = [{"id": 1, "file_name": "a.jpg"}]


def person(**changes) -> dict:
    return {**PERSON, **changes}


def annotated(*annotations: dict, **changes) -> dict:
    people = [{"image_id": 1, "keypoints": JOINTS, "bbox": [1, 2, 3, 4], **a} for a in annotations]
    return {"images": IMAGES, "annotations": people, **changes}


def with_joint(number: object) -> list:
    return [*JOINTS[:-1], number]


def instance(**changes) -> dict:
    return {"keypoints": [[1, 2]] * 17, "keypoint_scores": [1] * 17, **changes}


LABEL = " ".join(["0", "0.5", "0.5", "1", "1", *["0.5"] * 51])

SPOILED = {
    "cut off": ("alphapose", json.dumps([PERSON, PERSON])[:-9], "not readable as JSON"),
    "cut off between people": ("alphapose", json.dumps([PERSON])[:-1], "it ends within the list"),
    "cut off in a list for one image": ("openpifpaf", json.dumps([PERSON])[:-5], "not readable as JSON"),
    "two lists": ("alphapose", "[][]", "something follows the list"),
    "no comma": ("alphapose", "[{} {}]", r"entry 1: image_id is null instead of a file name"),
    "empty": ("coco", "", "not readable as JSON"),
    "empty list for one image": ("openpifpaf", "\n", "not readable as JSON"),
    "not text": ("coco", b"\xff\xfe\x00{", "not readable as JSON"),
    "not text, in a list": ("alphapose", b'[{"image_id": "\xff"}]', "not readable as JSON"),
    "deep": ("coco", "[" * 100_000, "nested too deeply"),
    "deep, in a list": ("alphapose", '[{"a":' + "[" * 100_000, "nested too deeply"),
    "huge number": (
        "alphapose",
        json.dumps([PERSON]).replace("0.5]", "1e999]"),
        "entry 1: keypoints holds a number",
    ),
    "long whole number": ("openpifpaf", json.dumps([person(keypoints=with_joint(10**400))]), "beyond 1e"),
    "endless whole number": ("openpifpaf", f"[{'9' * 5000}]", "not readable as JSON"),
    "far away": (
        "coco",
        json.dumps(annotated({}, {"keypoints": with_joint(-3e12)})),
        "annotation 2: .* beyond",
    ),
    "true": (
        "alphapose",
        json.dumps([PERSON, person(keypoints=with_joint(True))]),
        "entry 2: .* list of numbers",
    ),
    "text": (
        "kpr",
        json.dumps([{"keypoints": [["1", 2, 3]] * 17}]),
        "entry 1: keypoints is .* list of numbers",
    ),
    "nothing": ("coco_results", json.dumps([person(keypoints=None)]), "entry 1: keypoints is null"),
    "16 joints": ("alphapose", json.dumps([person(keypoints=JOINTS[:48])]), "48 numbers instead of 51"),
    "18 joints": ("openpifpaf", json.dumps([person(keypoints=[1, 2, 1] * 18)]), "54 numbers instead of 51"),
    "17 of OpenPose": (
        "alphapose",
        json.dumps({"a.jpg": {"bodies": [{"joints": JOINTS}]}}),
        "image 1: joints has 51",
    ),
    "no bodies": (
        "alphapose",
        json.dumps({"a.jpg": {"body": []}}),
        "image 1: there are neither bodies nor people",
    ),
    "joint of two": ("kpr", json.dumps([{"keypoints": [[1, 2]] * 17}]), "a joint that is not 3 numbers"),
    "target is 1": ("kpr", json.dumps([{"keypoints": JOINTS, "is_target": 1}]), "is_target is 1"),
    "ears": ("kpr", json.dumps([{"keypoints": JOINTS}]), "has ears.* skeleton=coco17"),
    "box of three": ("alphapose", json.dumps([person(box=[1, 2, 3])]), "box is .* instead of a box"),
    "negative box": ("coco", json.dumps(annotated({"bbox": [1, 2, -3, 4]})), "annotation 1: bbox is"),
    "score is text": ("alphapose", json.dumps([person(score="high")]), "score is .* list of numbers"),
    "image is a number": (
        "alphapose",
        json.dumps([person(image_id=3)]),
        "image_id is 3 instead of a file name",
    ),
    "numbers and names": ("coco_results", json.dumps([person(), person(image_id=3)]), "number for some"),
    "image is true": ("coco_results", json.dumps([person(image_id=True)]), "image_id is true"),
    "person is a list": ("openpifpaf", json.dumps([[1]]), r"entry 1: there is \[1\] instead of an object"),
    "object for a list": ("openpifpaf", json.dumps(PERSON), "instead of a list"),
    "list for an object": ("coco", json.dumps([PERSON]), "instead of an object"),
    "no images": ("coco", json.dumps({"annotations": []}), "no images and annotations"),
    "unknown image": (
        "coco",
        json.dumps(annotated({"image_id": 9})),
        "annotation 1: image_id is 9, which no",
    ),
    "image is a list": ("coco", json.dumps(annotated({"image_id": [1]})), r"image_id is \[1\]"),
    "id twice": ("coco", json.dumps(annotated(images=IMAGES * 2)), "image 2: a.jpg has the id 1 too"),
    "no file name": ("posetrack", json.dumps(annotated(images=[{"id": 1}])), "image 1: its id and file_name"),
    "category is a list": (
        "coco",
        json.dumps(annotated({"category_id": [2], "keypoints": []}, categories=[{"id": [2]}, {"id": 1}])),
        "annotation 1: keypoints has 0 numbers",
    ),
    "odd joints": (
        "coco",
        json.dumps(annotated(categories=[{"keypoints": ["tail"]}])),
        "its joints are tail",
    ),
    "names are numbers": ("coco", json.dumps(annotated(categories=[{"keypoints": [1]}])), "no list of names"),
    "few scores": ("posetrack", json.dumps(annotated({"scores": [1, 1]})), "scores are 2 numbers for 17"),
    "no scores": (
        "mmpose",
        json.dumps([instance(keypoint_scores=None)]),
        "instance 1: keypoint_scores is null",
    ),
    "box of two corners": ("mmpose", json.dumps([instance(bbox=[[1, 2], [3, 4]])]), "bbox is"),
    "box upside down": ("mmpose", json.dumps([instance(bbox=[[5, 5, 1, 1]])]), "bbox is .* instead of a box"),
    "frame without number": ("mmpose", json.dumps([{"instances": []}]), "frame 1: frame_id is null"),
    "frame twice": ("mmpose", json.dumps([{"frame_id": 1, "instances": []}] * 2), "frame 2: frame_id is 1"),
    "meta is a list": ("mmpose", json.dumps({"meta_info": [1], "instance_info": []}), "instead of an object"),
    "label of text": ("ultralytics", f"{LABEL}\nx y", "line 2: .*no line of numbers"),
    "short label": ("ultralytics", "0 0.5 0.5 1 1 0.5", "line 1: there are 6 numbers"),
    "label that is no text": ("ultralytics", b"\xff\xfe", "cannot be read as text"),
    "short row": ("csv", "name,x\na.jpg,1,2", "row 2: there are 2 cells after the name instead of 51"),
    "word in a row": ("csv", f"a.jpg,1,2,True,{','.join(['1'] * 48)}", "row 1: a cell is no number"),
    "endless cell": ("csv", "a.jpg," + "1" * 200_000, "cannot be read as a table"),
    "pose of 16": ("pose", str([[1, 2, 0.5]] * 16), r"shape \(16, 3\)"),
}
"""Format, content, and what the sentence says."""

ENDINGS = {"pose": ".pose", "ultralytics": ".txt", "csv": ".csv"}


@pytest.mark.parametrize("what", SPOILED)
def test_every_spoiled_file_is_named_in_one_sentence(tmp_path, what):
    form, content, words = SPOILED[what]
    file = tmp_path / f"a{ENDINGS.get(form, '.json')}"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=words) as caught:
        open_pose_files(file, form).poses("a.jpg", (256, 128))
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("form", FORMATS)
def test_anything_is_a_data_error_or_nothing(tmp_path, form):
    """Random bytes, and JSON of every kind, in files of every format."""
    random = np.random.default_rng(0)
    contents = [
        random.bytes(200), b"null", b"[]", b"{}", b"[[]]", b"[{}]", b"3", b'"x"', b"\x00", b'{"images": {}}',
        b'{"images": [], "annotations": [null]}', b'[{"instances": 3}]', b'{"instance_info": [[]]}',
    ]  # fmt: skip
    for content in contents:
        file = tmp_path / f"a{ENDINGS.get(form, '.json')}"
        file.write_bytes(content)
        try:
            assert open_pose_files(file, form, missing="nobody").poses("a.jpg", (256, 128)) == []
        except DataError as error:
            assert str(file) in str(error)  # noqa: PT017


def test_wrong_settings_are_answered_with_the_choices(tmp_path):
    with pytest.raises(ValueError, match="Unknown format of keypoints 'pifpaf': choose one of openpifpaf"):
        open_pose_files(tmp_path, "pifpaf")
    with pytest.raises(ValueError, match="missing='skip' is unknown: choose one of error, nobody"):
        open_pose_files(tmp_path, "kpr", missing="skip")
    with pytest.raises(ValueError, match="Unknown skeleton 'h36m': choose one of coco17"):
        open_pose_files(tmp_path, "kpr", skeleton="h36m")
    with pytest.raises(MissingDataError, match=r"There is no .*nowhere: name the file or folder"):
        open_pose_files(tmp_path / "nowhere", "kpr")
    for form, ending in (
        ("kpr", ".json"),
        ("openpifpaf", r"\.predictions\.json or \.json"),
        ("pose", ".pose"),
    ):
        with pytest.raises(DataError, match=f"holds no file that ends in {ending}"):
            open_pose_files(tmp_path, form)
    with pytest.raises(MissingDataError, match="cannot be read"):
        open_pose_files(tmp_path, "alphapose")
    with pytest.raises(DataError, match="holds 0 JSON lists and 0 JSON objects"):
        open_pose_files(tmp_path, "coco_results")
    with pytest.raises(DataError, match="holds no JSON file"):
        open_pose_files(tmp_path, "posetrack")
    for form in ("coco", "csv"):
        with pytest.raises(DataError, match="cannot be read"):
            open_pose_files(tmp_path, form)


def test_files_of_one_folder_must_agree(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(annotated({})))
    (tmp_path / "b.json").write_text(json.dumps(annotated({})))
    with pytest.raises(DataError, match=r"b\.json and .*a\.json both speak of a\.jpg"):
        open_pose_files(tmp_path, "posetrack")
    names = [{"keypoints": ["right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
              "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
              "head_bottom", "nose", "head_top"]}]  # fmt: skip
    other = annotated(images=[{"id": 1, "file_name": "b.jpg"}], categories=names)
    (tmp_path / "b.json").write_text(json.dumps(other))
    with pytest.raises(DataError, match=r"has the joints of posetrack17 and .*b\.json those of posetrack15"):
        open_pose_files(tmp_path, "posetrack")
    with pytest.raises(DataError, match="named as those of posetrack15: leave out skeleton=coco17"):
        open_pose_files(tmp_path / "b.json", "posetrack", skeleton="coco17")
