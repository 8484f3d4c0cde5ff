"""Reading packs, whole and damaged ones; what makes them is in ``test_packing``."""

import json
import multiprocessing
import pickle
import shutil
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from support.mars_tree import make_mars_tree
from vidreid.data.frames import FrameError, read_frame
from vidreid.data.packed_frames import PackedFrames
from vidreid.data.packing import pack_frames
from vidreid.data.readers.mars_reader import read_mars
from vidreid.data.tracklets import FrameList
from vidreid.errors import DataError


@pytest.fixture
def frames(tmp_path: Path) -> FrameList:
    return read_mars(make_mars_tree(tmp_path / "mars")).train_frames


@pytest.fixture
def packed(frames: FrameList, tmp_path: Path) -> PackedFrames:
    return pack_frames(frames, tmp_path / "packed", "train", progress=False)


def test_frames_and_names_are_those_of_the_folders(frames: FrameList, packed: PackedFrames) -> None:
    assert len(packed) == len(frames) == 45
    assert packed.names_crc() == frames.names_crc()
    for row in np.random.default_rng(0).permutation(len(frames)):
        assert packed.file(row) == frames.file(row)
        assert packed.relative(row) == frames.relative(row)
        assert packed.encoded(row) == frames.path(row).read_bytes()
        np.testing.assert_array_equal(read_frame(packed, row), read_frame(frames, row))


def _checksums(packed: PackedFrames) -> list[int]:
    return [zlib.crc32(packed.encoded(row)) for row in range(len(packed))]


def test_a_pickled_pack_opens_the_file_again(frames: FrameList, packed: PackedFrames) -> None:
    shutil.rmtree(frames.folder)  # nor are the folders needed
    pickled = pickle.dumps(packed)
    assert len(pickled) < frames.names.nbytes + 1000 < packed.files.data.stat().st_size
    assert _checksums(pickle.loads(pickled)) == _checksums(packed)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_several_processes_read_at_once(packed: PackedFrames, method: str) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        found = list(pool.map(_checksums, [packed] * 6))
    assert found == [_checksums(packed)] * 6


@pytest.mark.parametrize("row", [0, 7, 44])
def test_a_flipped_bit_is_noticed(frames: FrameList, packed: PackedFrames, row: int) -> None:
    content = bytearray(packed.files.data.read_bytes())
    content[content.index(frames.encoded(row)) + 300] ^= 1
    packed.files.data.write_bytes(content)
    again = PackedFrames(frames, packed.files.data.parent, "train")
    name = frames.names[row].decode()
    with pytest.raises(FrameError, match=rf"{name} is damaged in .*train\.bin: delete .* and pack anew"):
        read_frame(again, row)
    for other in set(range(len(frames))) - {row}:
        assert again.encoded(other) == frames.encoded(other)


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b"", lambda b: b + b"x"])
def test_another_size_is_refused(frames: FrameList, packed: PackedFrames, change) -> None:
    packed.files.data.write_bytes(change(packed.files.data.read_bytes()))
    _refused(frames, packed, r"train\.bin has [\d,]+ bytes instead of \d+")


def test_a_missing_file_is_refused(frames: FrameList, packed: PackedFrames) -> None:
    packed.files.index.unlink()
    _refused(frames, packed, "cannot be read")


@pytest.mark.parametrize("place", [3, 100, 200, -1])
def test_a_damaged_index_is_refused(frames: FrameList, packed: PackedFrames, place: int) -> None:
    content = bytearray(packed.files.index.read_bytes())
    content[place] ^= 1
    packed.files.index.write_bytes(content)
    _refused(frames, packed, r"train\.index\.npy is damaged")


def test_an_index_of_another_form_is_refused(frames: FrameList, packed: PackedFrames) -> None:
    np.save(packed.files.index, np.arange(len(frames)))
    told = json.loads(packed.files.description.read_text())
    told["index_crc32"] = zlib.crc32(packed.files.index.read_bytes())
    packed.files.description.write_text(json.dumps(told))
    _refused(frames, packed, "has the form int64")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b"3", b"[" * 100_000])
def test_a_damaged_description_is_refused(frames: FrameList, packed: PackedFrames, content: bytes) -> None:
    packed.files.description.write_bytes(content)
    _refused(frames, packed, r"train\.json is damaged")


@pytest.mark.parametrize("key", ["format", "frames", "names_crc32"])
@pytest.mark.parametrize("value", [1.5, None, "3", [], 10**400])
def test_another_description_is_refused(frames: FrameList, packed: PackedFrames, key, value) -> None:
    told = json.loads(packed.files.description.read_text())
    packed.files.description.write_text(json.dumps({**told, key: value}))
    _refused(frames, packed, rf"belongs to other frames or another version \({key}")


def test_other_names_are_refused(frames: FrameList, packed: PackedFrames) -> None:
    names = frames.names.copy()
    names[[3, 4]] = names[[4, 3]]
    _refused(FrameList(frames.folder, names), packed, "belongs to other frames")
    _refused(FrameList(frames.folder, names[:-1]), packed, "frames 45 there, 44 here")


def _refused(frames: FrameList, packed: PackedFrames, words: str) -> None:
    """Neither opened nor packed over."""
    before = [path.read_bytes() for path in sorted(packed.files.data.parent.iterdir())]
    folder = packed.files.data.parent
    for act in (PackedFrames, pack_frames):
        with pytest.raises(DataError, match=rf"{words}.*: delete the folder {folder} and pack anew\."):
            act(frames, folder, "train")
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == before


def test_no_pack_and_an_unfinished_one(frames: FrameList, packed: PackedFrames) -> None:
    folder = packed.files.data.parent
    with pytest.raises(FileNotFoundError, match=r"no finished pack .*test\.bin: run python src/pack\.py"):
        PackedFrames(frames, folder, "test")
    told = json.loads(packed.files.description.read_text())
    packed.files.description.write_text(json.dumps({**told, "whole": False}))
    with pytest.raises(FileNotFoundError, match=r"no finished pack .*train\.bin"):
        PackedFrames(frames, folder, "train")
