"""A shifted test set: the same people in places and before cameras that training never shows."""

import json
from pathlib import Path

import numpy as np
import pytest

from vidreid.synthetic.benchmark import synthesize
from vidreid.synthetic.world import cameras_of


@pytest.fixture(scope="module")
def shifted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shifted") / "tiny"
    return synthesize(root, "tiny", seed=0, workers=1, progress=False, shifted=True)


def pictures(root: Path, split: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((root / split).rglob("*.jpg"))}


def test_training_is_the_same_and_every_test_picture_is_another(shifted: Path, tiny_root: Path) -> None:
    assert pictures(shifted, "bbox_train") == pictures(tiny_root, "bbox_train")
    here, there = pictures(tiny_root, "bbox_test"), pictures(shifted, "bbox_test")
    assert here.keys() == there.keys()
    assert not [name for name in here if here[name] == there[name]]


def test_the_people_are_the_same(shifted: Path, tiny_root: Path) -> None:
    told = [json.loads((root / "synthetic.json").read_text()) for root in (tiny_root, shifted)]
    assert told[0]["test"]["attributes"] == told[1]["test"]["attributes"]
    assert (told[0].get("shifted"), told[1]["shifted"]) == (None, True)


def test_the_cameras_are_others() -> None:
    from vidreid.synthetic.benchmark import ELSEWHERE

    for here, there in zip(cameras_of(0), cameras_of(ELSEWHERE), strict=True):
        assert not np.allclose(here.position, there.position)


def test_the_two_are_not_taken_for_one_another(shifted: Path, tiny_root: Path) -> None:
    assert synthesize(shifted, "tiny", workers=1, progress=False, shifted=True) == shifted
    with pytest.raises(FileExistsError, match=r"shifted=True instead of shifted=None"):
        synthesize(shifted, "tiny", workers=1, progress=False)
    with pytest.raises(FileExistsError, match=r"shifted=None instead of shifted=True"):
        synthesize(tiny_root, "tiny", workers=1, progress=False, shifted=True)
