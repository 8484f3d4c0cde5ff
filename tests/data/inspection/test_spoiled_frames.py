"""Trees with one frame spoiled: each gives its finding and no other."""

import cv2
import numpy as np
import pytest

from support.camera_pair_trees import make_ilids_tree
from support.spoiled import copy_tree, encoded, finding, found, inspected, put
from vidreid.data.frames import read_image
from vidreid.data.ilids_vid import IlidsVidDataModule
from vidreid.data.inspection.inspect import inspect
from vidreid.data.mars import MarsDataModule


@pytest.fixture
def tree(tiny_root, tmp_path):
    return copy_tree(tiny_root, tmp_path / "tree")


def _frames(root):
    """First frames of two training identities and of a test identity."""
    benchmark = MarsDataModule(root).benchmark
    train, test = benchmark.train, benchmark.test
    firsts = [int(train["start"][train["pid"] == pid].iloc[0]) for pid in train["pid"].unique()[:2]]
    asked = int(test["start"][test["is_query"]].iloc[0])
    return (*(benchmark.train_frames.path(row) for row in firsts), benchmark.test_frames.path(asked))


def _below(root, path):
    relative = path.relative_to(root)
    return str(relative)


def test_the_procedural_benchmark_is_clean(tiny_root):
    inspection = inspected(tiny_root, keypoints="detector", test_keypoints=True)
    assert found(inspection) == {}
    assert inspection.ready
    assert len(inspection.uses.looked_at) == 133 + 141


def test_a_cut_off_frame(tree):
    path, *_ = _frames(tree)
    put(path, path.read_bytes()[:700])
    inspection = inspected(tree)
    assert found(inspection) == {"damaged_frames": "error"}
    assert finding(inspection, "damaged_frames").where == [_below(tree, path)]
    assert not inspection.ready
    assert found(inspected(tree, on_bad_frame="skip_frame")) == {"damaged_frames": "warning"}
    for other in path.parent.glob(f"{path.name[:11]}*"):
        put(other, b"no image")
    assert found(inspected(tree, on_bad_frame="skip_frame")) == {"damaged_frames": "error"}


def test_a_missing_frame(tree):
    *_, path = _frames(tree)
    path.unlink()
    inspection = inspected(tree)
    assert found(inspection) == {"missing_frames": "error"}
    sentence = finding(inspection, "missing_frames").sentence
    assert sentence == f"1 frame cannot be opened ({_below(tree, path)}): unpack the data set anew."


def test_a_missing_frame_that_nobody_reads(tree):
    benchmark = MarsDataModule(tree).benchmark
    junk = benchmark.test[benchmark.test["pid"] == -1].iloc[0]
    benchmark.test_frames.path(int(junk["start"])).unlink()
    assert found(inspected(tree)) == {"missing_frames": "warning"}
    assert found(inspected(tree, protocol="junk_as_wrong")) == {"missing_frames": "error"}


def test_a_training_picture_in_the_test_split(tree):
    source, _, target = _frames(tree)
    put(target, source.read_bytes())
    inspection = inspected(tree)
    assert found(inspection) == {"duplicates_train_test": "error"}
    pair = f"{_below(tree, source)} = {_below(tree, target)}"
    assert finding(inspection, "duplicates_train_test").where == [pair]


def test_a_training_picture_encoded_and_resized_anew_in_the_test_split(tree):
    source, _, target = _frames(tree)
    smaller = cv2.resize(read_image(source), (56, 108), interpolation=cv2.INTER_AREA)
    put(target, encoded(smaller, quality=60))
    inspection = inspected(tree)
    assert found(inspection) == {"near_duplicates_train_test": "warning"}
    pair = f"{_below(tree, source)} = {_below(tree, target)}"
    assert finding(inspection, "near_duplicates_train_test").where == [pair]
    assert inspection.ready


def test_a_picture_of_two_people(tree):
    source, target, _ = _frames(tree)
    put(target, source.read_bytes())
    assert found(inspected(tree)) == {"duplicates_identities": "warning"}
    put(target, encoded(read_image(source), quality=60))
    inspection = inspected(tree)
    assert found(inspection) == {"near_duplicates_identities": "warning"}
    assert finding(inspection, "near_duplicates_identities").where == [
        f"{_below(tree, source)} = {_below(tree, target)}"
    ]


def test_a_picture_of_one_person_twice_is_nothing(tree):
    source, *_ = _frames(tree)
    put(source.with_name(source.name.replace("F001", "F002")), source.read_bytes())
    assert found(inspected(tree)) == {}


def test_frames_of_one_colour_are_no_duplicates(tree):
    for path in _frames(tree):
        put(path, encoded(np.full((128, 64, 3), (20, 90, 60), np.uint8)))
    inspection = inspected(tree)
    assert found(inspection) == {"constant_frames": "warning"}
    assert len(finding(inspection, "constant_frames").where) == 3


def test_grey_frames(tree):
    path, *_ = _frames(tree)
    grey = np.repeat(read_image(path).mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    put(path, encoded(grey))
    inspection = inspected(tree)
    assert found(inspection) == {"grey_frames": "warning"}
    assert finding(inspection, "grey_frames").where == [_below(tree, path)]


@pytest.mark.parametrize("size", [(64, 128), (20, 10), (1200, 600)], ids=["wide", "tiny", "huge"])
def test_an_odd_size(tree, size):
    path, *_ = _frames(tree)
    # Of noise, so that no other frame looks like it.
    noise = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    put(path, encoded(noise))
    inspection = inspected(tree)
    assert found(inspection) == {"odd_sizes": "warning"}
    assert finding(inspection, "odd_sizes").where == [f"{_below(tree, path)} {size[0]}x{size[1]}"]


def test_sizes_that_vary_everywhere_are_not_odd(tree):
    rng = np.random.default_rng(0)
    for path in sorted((tree / "bbox_train").rglob("*.jpg")):
        scale = float(np.exp(rng.uniform(-0.9, 0.9)))
        put(path, encoded(cv2.resize(read_image(path), None, fx=scale, fy=scale)))
    assert found(inspected(tree)) == {}


def test_a_frame_list_that_both_splits_share_is_read_once(tmp_path):
    tree = make_ilids_tree(tmp_path / "tree")
    module = IlidsVidDataModule(tree, batch_size=4, clip_length=2, keypoints=None)
    benchmark = module.benchmark
    frames = benchmark.train_frames
    clean = inspect(module)
    assert set(found(clean)) == {"reader"}  # the counts of a tiny tree
    files = sorted((tree / "i-LIDS-VID").rglob("*.png"))
    assert clean.uses.total == len(clean.uses.looked_at) == len(files)
    source, target = (int(table["start"].iloc[0]) for table in (benchmark.train, benchmark.test))
    put(frames.path(target), frames.path(source).read_bytes())
    spoiled = inspect(module)
    assert set(found(spoiled)) == {"reader", "duplicates_train_test"}
    assert spoiled.identical.across == [(source, target)]


def test_a_sample_is_said(tiny_root):
    inspection = inspect(MarsDataModule(tiny_root, batch_size=4, keypoints=None), limit=80)
    assert len(inspection.uses.looked_at) == 80
    assert (inspection.records["state"] > 0).sum() == 80
    runs = np.split(inspection.uses.looked_at, np.flatnonzero(np.diff(inspection.uses.looked_at) > 1) + 1)
    assert [len(run) % 8 for run in runs] == [0] * len(runs)
    assert "Only 80 of 274 frames were looked at" in finding(inspection, "sample").sentence
    with pytest.raises(ValueError, match="limit=0 leaves no frame"):
        inspect(MarsDataModule(tiny_root, keypoints=None), limit=0)


def test_several_processes_find_the_same(tree):
    path, *_ = _frames(tree)
    put(path, b"no image")
    module = MarsDataModule(tree, batch_size=4, keypoints=None)
    told = []
    alone, together = inspect(module), inspect(module, workers=2, advance=told.append)
    assert np.array_equal(alone.records, together.records)
    assert alone.findings == together.findings
    assert sum(told) == 274
