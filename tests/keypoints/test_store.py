import json
import pickle

import numpy as np
import pytest

from vidreid.keypoints.store import KeypointStore, write_keypoints


@pytest.fixture
def keypoints():
    return np.random.default_rng(0).random((6, 17, 3)) * [128, 256, 1]


@pytest.fixture
def folder(tmp_path, keypoints):
    write_keypoints(tmp_path, "bbox_train", keypoints, 77, "true")
    return tmp_path


def test_rows_come_back_as_float32_within_half_precision(folder, keypoints):
    store = KeypointStore.open(folder, "bbox_train", 6, 77)
    rows = store[[4, 0, 4]]
    assert rows.dtype == np.float32
    assert rows.shape == (3, 17, 3)
    # float16 has 11 bits: an eighth of a pixel at 256.
    np.testing.assert_allclose(rows, keypoints[[4, 0, 4]], atol=0.0626, rtol=0)
    np.testing.assert_array_equal(store[2:4], store[np.array([2, 3])])
    assert len(store) == 6
    assert store.source == "true"


def test_a_store_tells_its_layout_also_in_loader_processes(tmp_path, keypoints):
    write_keypoints(tmp_path, "train", keypoints, 5, "annotated", layout="posetrack17")
    store = KeypointStore.open(tmp_path, "train", 6, 5)
    assert store.layout == pickle.loads(pickle.dumps(store)).layout == "posetrack17"
    write_keypoints(tmp_path, "other", keypoints, 5, "detector")
    assert KeypointStore.open(tmp_path, "other", 6, 5).layout == "coco17"
    with pytest.raises(ValueError, match="'openpose': choose one of coco17, posetrack17"):
        write_keypoints(tmp_path, "train", keypoints, 5, "detector", layout="openpose")
    description = tmp_path / "train.json"
    description.write_text(description.read_text().replace("posetrack17", "openpose"))
    with pytest.raises(ValueError, match=r"'openpose', which is none of coco17, posetrack17"):
        KeypointStore.open(tmp_path, "train", 6, 5)


def test_it_is_half_precision_on_disk_with_a_description(folder):
    array = np.load(folder / "bbox_train.npy")
    assert array.dtype == np.float16
    described = json.loads((folder / "bbox_train.json").read_text())
    assert described == {"frames": 6, "names_crc32": 77, "skeleton": "coco17", "source": "true"}


def test_a_value_that_is_not_finite_makes_the_joint_missing(tmp_path):
    keypoints = np.ones((1, 17, 3))
    keypoints[0, 3] = [np.nan, 5, 0.9]
    keypoints[0, 4] = [5, np.inf, 0.9]
    keypoints[0, 5] = [5, 5, np.nan]
    keypoints[0, 6] = [5, 5, 6.0]
    keypoints[0, 7] = [5, 5, -0.5]
    write_keypoints(tmp_path, "s", keypoints, 0, "x")
    read = KeypointStore.open(tmp_path, "s", 1, None)[[0]]
    assert np.isfinite(read).all()
    assert read[0, 3:8, 2].tolist() == [0, 0, 0, 1, 0]


def test_the_file_is_mapped_and_not_pickled_whole(tmp_path):
    write_keypoints(tmp_path, "s", np.zeros((5000, 17, 3)), 0, "x")
    store = KeypointStore.open(tmp_path, "s", 5000, 0)
    packed = pickle.dumps(store)
    assert len(packed) < 1000
    assert pickle.loads(packed)[[7]].shape == (1, 17, 3)
    store[[0]][0, 0, 0] = 9  # a copy
    assert store[[0]][0, 0, 0] == 0


def test_what_does_not_belong_together_is_refused(folder):
    with pytest.raises(FileNotFoundError, match=r"no keypoints in .*nowhere"):
        KeypointStore.open(folder / "nowhere", "bbox_train", 6, 77)
    with pytest.raises(FileNotFoundError, match=r"bbox_test\.npy is missing"):
        KeypointStore.open(folder, "bbox_test", 6, 77)
    with pytest.raises(ValueError, match="6 frames but the frame list has 7"):
        KeypointStore.open(folder, "bbox_train", 7, 77)
    with pytest.raises(ValueError, match="other names"):
        KeypointStore.open(folder, "bbox_train", 6, 78)
    (folder / "bbox_train.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"bbox_train\.json is missing"):
        KeypointStore.open(folder, "bbox_train", 6, 77)


def test_a_failed_rewrite_is_not_taken_for_whole(folder, keypoints, monkeypatch):
    def full_disk(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_keypoints(folder, "bbox_train", keypoints[:3], 1, "true")
    with pytest.raises(FileNotFoundError, match=r"bbox_train\.json is missing"):
        KeypointStore.open(folder, "bbox_train", 3, 1)


def test_another_shape_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\(frames, 17, 3\)"):
        write_keypoints(tmp_path, "s", np.zeros((4, 12, 3)), 0, "x")
