"""`.pose` files as their two makers write them, and what else may lie there."""

import json
import pickle

import numpy as np
import pytest

from vidreid.keypoints.pose_files import PoseFiles, read_pose_file


@pytest.fixture
def joints():
    return np.round(np.random.default_rng(1).uniform(0.1, 0.9, (17, 3)) * [128, 256, 1], 3)


def _one_line(joints):
    return str([tuple(joint) for joint in joints.tolist()])


FORMS = {
    "python list of lists": lambda joints: str(joints.tolist()),
    "python list of tuples": _one_line,
    "python list with a line end": lambda joints: str(joints.tolist()) + "\r\n",
    "one line of JSON": lambda joints: json.dumps(joints.tolist()),
    "indented JSON": lambda joints: json.dumps(joints.tolist(), indent=4),
    "numbers without a decimal": lambda joints: str(joints.tolist()).replace("70.0,", "70.,"),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_are_read(tmp_path, joints, form):
    joints[3, 0] = 70.0
    file = tmp_path / "0001C1T0001F001.pose"
    file.write_text(FORMS[form](joints))
    read = read_pose_file(file)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, joints.astype(np.float32))


@pytest.mark.parametrize("form", ["python list of lists", "python list of tuples", "indented JSON"])
def test_nan_makes_a_joint_missing(tmp_path, joints, form):
    expected = joints.astype(np.float32)
    joints[2] = np.nan
    joints[4, 1] = np.nan
    expected[[2, 4]] = 0
    file = tmp_path / "a.pose"
    file.write_text(FORMS[form](joints))
    np.testing.assert_array_equal(read_pose_file(file), expected)
    file.write_text(FORMS[form](joints).replace("NaN", "nan").replace("nan", "-nan", 1))
    np.testing.assert_array_equal(read_pose_file(file), expected)


def test_the_rule_of_the_release_tells_missing_joints(tmp_path, joints):
    joints[0] = 0, 0, 0.7
    joints[1] = -2, -3, 0.7
    joints[2] = 0, 5, 0.7  # one of the two is enough to be there
    joints[3] = 5, -1, 0.7
    joints[4] = 5, 5, 0
    joints[5] = 5, 5, 6.5
    joints[6] = 5, 5, -0.5
    joints[7] = 5, np.inf, 0.5
    joints[8] = 5, 5, np.nan
    file = tmp_path / "a.pose"
    file.write_text(json.dumps(joints.tolist()))
    read = read_pose_file(file)
    assert read[:9, 2].tolist() == pytest.approx([0, 0, 0.7, 0.7, 0, 1, 0, 0, 0])
    assert (read[read[:, 2] == 0] == 0).all()
    assert read[2].tolist() == pytest.approx([0, 5, 0.7])
    np.testing.assert_array_equal(read[9:], joints[9:].astype(np.float32))


@pytest.mark.parametrize("score", [0.0, np.nan])
def test_an_annotation_without_scores_is_sure_of_its_joints(tmp_path, joints, score):
    joints[:, 2] = score
    joints[3:5, :2] = 0
    joints[3, 2] = 0.4  # the score of a joint that is not there says nothing
    file = tmp_path / "a.pose"
    file.write_text(str(joints.tolist()))
    read = read_pose_file(file)
    there = [joint for joint in range(17) if joint not in (3, 4)]
    assert (read[there, 2] == 1).all()
    np.testing.assert_array_equal(read[there, :2], joints[there, :2].astype(np.float32))
    assert not read[3:5].any()


def test_a_frame_without_anybody_is_all_missing(tmp_path):
    file = tmp_path / "a.pose"
    file.write_text(str([[0, 0, 0]] * 17))
    assert not read_pose_file(file).any()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("[[1, 2, 0.5]]", r"shape \(1, 3\) instead of \(17, 3\)"),
        (str([[1.0, 2.0]] * 17), r"shape \(17, 2\) instead of \(17, 3\)"),
        (str([1.0] * 51), r"shape \(51,\) instead"),
        (str([[[1.0, 2.0, 0.5]] * 17]), r"shape \(1, 17, 3\) instead"),
        (str([[1.0, 2.0, 0.5]] * 16 + [[1.0, 2.0]]), "no list of 17 joints"),
        (str([[1.0, 2.0, 0.5]] * 17)[:-9], "no list of 17 joints"),
        (str([["x", 2.0, 0.5]] * 17), "no list of 17 joints"),
        ('{"keypoints": []}', "no list of 17 joints"),
        ("\x00\xff\xd8 no text", "no list of 17 joints"),
        ("[" * 100_000, "no list of 17 joints"),
    ],
)
def test_anything_else_is_refused_by_name(tmp_path, content, words):
    file = tmp_path / "0001C1T0001F001.pose"
    file.write_text(content)
    with pytest.raises(ValueError, match=rf"0001C1T0001F001\.pose .*{words}"):
        read_pose_file(file)


def test_code_is_not_run(tmp_path):
    file = tmp_path / "a.pose"
    file.write_text(f"[open({str(tmp_path / 'trace')!r}, 'w').write('x')] + [[1, 2, 0.5]] * 17")
    with pytest.raises(ValueError, match="no list of 17 joints"):
        read_pose_file(file)
    assert not (tmp_path / "trace").exists()


class _Paths:
    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def file(self, row):
        return str(self.files[row])


@pytest.fixture
def folder(tmp_path):
    stored = np.random.default_rng(2).uniform(0.1, 0.9, (5, 17, 3)).astype(np.float32)
    files = [tmp_path / f"{row}.pose" for row in range(5)]
    for file, frame in zip(files, stored, strict=True):
        file.write_text(str(frame.tolist()))
    return _Paths(files), stored


def test_rows_are_read_as_from_a_store(folder):
    paths, stored = folder
    files = PoseFiles(paths, "posetrack17")
    assert len(files) == 5
    assert files.layout == "posetrack17"
    np.testing.assert_array_equal(files[[4, 0, 0, 2]], stored[[4, 0, 0, 2]])
    np.testing.assert_array_equal(files[np.array([1, 1])], stored[[1, 1]])
    np.testing.assert_array_equal(files[1:4], stored[1:4])
    assert files[3:3].shape == (0, 17, 3)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(files))[[3]], stored[[3]])


def test_nothing_is_read_before_it_is_needed(folder):
    paths, stored = folder
    paths.files[2].unlink()
    files = PoseFiles(paths)
    np.testing.assert_array_equal(files[[1, 3]], stored[[1, 3]])
    with pytest.raises(FileNotFoundError, match=r"no keypoint file .*2\.pose, though the frame is listed"):
        files[[1, 2]]


def test_an_unknown_layout_is_refused(folder):
    with pytest.raises(ValueError, match="choose one of coco17, posetrack17"):
        PoseFiles(folder[0], "openpose")
