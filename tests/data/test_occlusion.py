"""Which tracklets of the procedural benchmark are occluded, by a loop over its frames."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from support.mars_tree import make_mars_tree
from vidreid.data.readers.mars_reader import read_mars


def test_a_tracklet_is_occluded_if_it_shows_less_than_seven_tenths(tiny_root: Path) -> None:
    benchmark = read_mars(tiny_root)
    visible = np.load(tiny_root / "visible" / "bbox_test.npy")
    expected = []
    for start, stop in zip(benchmark.test["start"], benchmark.test["stop"], strict=True):
        shares = [float(visible[frame]) for frame in range(start, stop)]
        expected.append(sum(shares) / len(shares) < 0.7)
    assert benchmark.subsets.keys() == {"occluded"}
    assert benchmark.subsets["occluded"].tolist() == expected
    assert 0 < sum(expected) < len(expected)


def test_other_trees_have_no_such_kind(tmp_path: Path, tiny_root: Path) -> None:
    assert read_mars(make_mars_tree(tmp_path / "mars")).subsets == {}
    bare = tmp_path / "bare"
    shutil.copytree(tiny_root, bare, ignore=shutil.ignore_patterns("visible", "*.jpg"))
    assert read_mars(bare).subsets == {}


def test_a_file_of_other_frames_is_refused(tmp_path: Path, tiny_root: Path) -> None:
    spoiled = tmp_path / "tree"
    shutil.copytree(tiny_root, spoiled, ignore=shutil.ignore_patterns("*.jpg"))
    np.save(spoiled / "visible" / "bbox_test.npy", np.ones(3, dtype=np.float16))
    with pytest.raises(ValueError, match=r"bbox_test\.npy has 3 numbers for .* test frames: render"):
        read_mars(spoiled)
