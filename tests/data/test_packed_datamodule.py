"""``data.pack``: the same batches out of one file."""

import shutil
from pathlib import Path

import pytest
import torch

from support.mars_tree import make_mars_tree
from vidreid.data.batch import ClipBatch
from vidreid.data.ilids_vid import IlidsVidDataModule
from vidreid.data.mars import MarsDataModule
from vidreid.data.packed_frames import PackedFrames
from vidreid.data.reading import BadFrameWarning


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_mars_tree(tmp_path / "mars")


def _module(root: Path, **options) -> MarsDataModule:
    sizes = {"height": 32, "width": 16, "clip_length": 3, "batch_size": 4, "test_batch_size": 3, "crop": 2}
    return MarsDataModule(root, **{"workers": 0, "held_out_identities": 2, **sizes, **options})


def _batches(module: MarsDataModule) -> list[ClipBatch]:
    return [*module.train_dataloader(), *module.val_dataloader(), *module.test_dataloader()]


def _same(one: ClipBatch, other: ClipBatch) -> bool:
    return all((a is None and b is None) or torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("workers", [0, 2])
def test_the_same_batches(root: Path, tmp_path: Path, workers: int) -> None:
    expected = _batches(_module(root))
    module = _module(root, pack=True, workers=workers)
    assert not (root / "packed").exists(), "packed at first use"
    module.prepare_data()
    assert {path.suffix for path in (root / "packed").iterdir()} == {".bin", ".npy", ".json"}
    for folder in ("bbox_train", "bbox_test"):  # once packed, names are enough
        shutil.rmtree(root / folder)
    found = _batches(module)
    assert len(found) == len(expected)
    assert all(_same(one, other) for one, other in zip(found, expected, strict=True))


def test_loaders_alone_pack_what_they_read(root: Path, tmp_path: Path) -> None:
    module = _module(root, pack=True, pack_folder=tmp_path / "elsewhere")
    next(iter(module.test_dataloader()))
    names = sorted(path.name for path in (tmp_path / "elsewhere").iterdir())
    assert names == ["bbox_test.bin", "bbox_test.index.npy", "bbox_test.json"]
    assert not (root / "packed").exists()


def test_a_shared_frame_list_is_packed_once(ilids_vid_root: Path, tmp_path: Path) -> None:
    module = IlidsVidDataModule(ilids_vid_root, split=1, keypoints=None, pack=True, pack_folder=tmp_path)
    module.prepare_data()
    assert sorted(path.name for path in tmp_path.glob("*.bin")) == ["sequences.bin"]
    other = IlidsVidDataModule(ilids_vid_root, split=2, keypoints=None, pack=True, pack_folder=tmp_path)
    packed, frames = other.frames(other.test_split), other.benchmark.test_frames
    assert isinstance(packed, PackedFrames)
    assert all(packed.encoded(row) == frames.encoded(row) for row in range(len(frames)))


def test_without_the_setting_nothing_is_packed(root: Path) -> None:
    module = _module(root)
    module.prepare_data()
    assert not (root / "packed").exists()
    assert module.frames("bbox_test") is module.benchmark.test_frames


def test_an_absent_frame_is_skipped_as_in_the_folders(root: Path) -> None:
    module = _module(root, on_bad_frame="skip_frame")
    module.benchmark.test_frames.path(30).unlink()
    with pytest.warns(BadFrameWarning, match="cannot be read"):
        expected = _batches(module)
    with pytest.warns(BadFrameWarning, match=r"is not in .*bbox_test\.bin"):
        found = _batches(_module(root, on_bad_frame="skip_frame", pack=True))
    assert all(_same(one, other) for one, other in zip(found, expected, strict=True))
