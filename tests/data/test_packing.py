"""Making packs: their bytes, and what stops the work."""

import binascii
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from support.mars_tree import make_mars_tree
from vidreid.data import frame_chunks
from vidreid.data.frames import FrameError
from vidreid.data.packed_frames import PackedFrames
from vidreid.data.packing import pack_frames
from vidreid.data.readers.mars_reader import read_mars
from vidreid.data.tracklets import FrameList
from vidreid.errors import DataError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mars_tree(tmp_path_factory.mktemp("packing") / "mars")


@pytest.fixture(scope="module")
def frames(root: Path) -> FrameList:
    return read_mars(root).train_frames


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_chunks, "CHUNK", 2)


def _pack(frames: FrameList, folder: Path, **options) -> PackedFrames:
    return pack_frames(frames, folder, "train", progress=False, **options)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(frames: FrameList, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    _pack(frames, folder)
    return _contents(folder)


def test_the_files_by_hand(frames: FrameList, whole: dict[str, bytes], tmp_path: Path) -> None:
    images = [path.read_bytes() for path in frames.paths(0, len(frames))]
    assert list(whole) == ["train.bin", "train.index.npy", "train.json"]
    assert whole["train.bin"] == b"".join(images)
    (tmp_path / "index.npy").write_bytes(whole["train.index.npy"])
    index = np.load(tmp_path / "index.npy")
    assert index["stop"].tolist() == [sum(len(i) for i in images[: row + 1]) for row in range(len(images))]
    assert index["crc32"].tolist() == [binascii.crc32(image) for image in images]
    assert json.loads(whole["train.json"]) == {
        "format": 1,
        "frames": 45,
        "names_crc32": frames.names_crc(),
        "whole": True,
        "bytes": len(whole["train.bin"]),
        "index_crc32": binascii.crc32(whole["train.index.npy"]),
    }


@pytest.mark.parametrize("workers", [0, 1, 3, 50])
def test_the_bytes_do_not_depend_on_the_threads(frames, whole, tmp_path, monkeypatch, workers) -> None:
    read = FrameList.encoded

    def late_at_first(self: FrameList, row: int) -> bytes:
        time.sleep(0.02 if row % 6 == 0 else 0)
        return read(self, row)

    monkeypatch.setattr(FrameList, "encoded", late_at_first)
    _pack(frames, tmp_path, workers=workers)
    assert _contents(tmp_path) == whole


def _unfinished(whole: dict[str, bytes], folder: Path, data: bytes, index: bytes) -> None:
    folder.mkdir(exist_ok=True)
    told = {key: json.loads(whole["train.json"])[key] for key in ("format", "frames", "names_crc32")}
    (folder / "train.json").write_text(json.dumps({**told, "whole": False}))
    (folder / "train.bin").write_bytes(data)
    (folder / "train.index.npy").write_bytes(index)


def _cases(whole: dict[str, bytes]) -> dict[str, tuple[bytes, bytes, int]]:
    """Data, index, and how many frames of it are whole."""
    data, index = whole["train.bin"], whole["train.index.npy"]
    head, (_, stop) = len(index) - 45 * 12, _place(whole, 20)
    flipped = bytearray(data)
    flipped[stop + 5] ^= 1
    wild = bytearray(index)
    wild[head + 12 * 9 : head + 12 * 9 + 8] = b"\xff" * 7 + b"\x7f"
    return {
        "nothing": (b"", b"", 0),
        "half a header": (b"", index[:50], 0),
        "data, no index": (data[:1000], b"", 0),
        "a frame": (data[: _place(whole, 0)[1]], index[: head + 12], 1),
        "data further": (data[: stop + 77], index[: head + 12 * 21], 21),
        "part of a row": (data[:stop], index[: head + 12 * 21 - 5], 20),
        "index further": (data[: stop - 1], index[: head + 12 * 30], 20),
        "zeros after a power cut": (data[:stop] + bytes(5000), index[: head + 12 * 40], 21),
        "a flipped bit": (bytes(flipped), index, 21),
        "a wild row": (data, bytes(wild), 9),
        "all but the description": (data, index, 45),
        "more rows than frames": (data + b"x" * 50, index + b"x" * 24, 45),
        "another header": (data, b"\x93NUMPY\x01\0" + index[8:80], 0),
    }


def _place(whole: dict[str, bytes], row: int) -> tuple[int, int]:
    index = np.frombuffer(whole["train.index.npy"][-45 * 12 :], [("stop", "<i8"), ("crc32", "<u4")])
    return int(index["stop"][row - 1]) if row else 0, int(index["stop"][row])


def test_it_goes_on_behind_the_last_whole_frame(frames, whole, tmp_path, monkeypatch) -> None:
    read, rows = FrameList.encoded, set()
    monkeypatch.setattr(FrameList, "encoded", lambda self, row: rows.add(row) or read(self, row))
    for name, (data, index, kept) in _cases(whole).items():
        folder = tmp_path / name
        _unfinished(whole, folder, data, index)
        rows.clear()
        _pack(frames, folder)
        assert rows == set(range(kept, 45)), name
        assert _contents(folder) == whole, name
    rows.clear()
    _pack(frames, folder)
    assert not rows, "what is whole is left alone"


def test_files_without_a_description_are_not_trusted(frames, whole, tmp_path) -> None:
    (tmp_path / "train.bin").write_bytes(b"x" * 100_000)
    (tmp_path / "train.index.npy").write_bytes(whole["train.index.npy"])
    _pack(frames, tmp_path)
    assert _contents(tmp_path) == whole


PROGRAM = """
import sys, time
from vidreid.data import frame_chunks
from vidreid.data.readers.mars_reader import read_mars
from vidreid.data.packing import pack_frames
from vidreid.data.tracklets import FrameList

read, frame_chunks.CHUNK, count = FrameList.encoded, 1, 0

def slow(self, row):
    global count
    count += 1
    time.sleep(0.03)
    return read(self, row)

FrameList.encoded = slow
pack_frames(read_mars(sys.argv[1]).train_frames, sys.argv[2], "train", workers=2, progress=False)
print(count)
"""
"""Packs slowly and prints how many frames it read."""


def _start(root: Path, folder: Path, repo_root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(root), str(folder)],
        env={**os.environ, "PYTHONPATH": str(repo_root / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_killed_at_several_points(frames, root, whole, tmp_path, repo_root) -> None:
    index = tmp_path / "train.index.npy"
    reached = 0
    for rows in (1, 10, 30):
        process = _start(root, tmp_path, repo_root)
        limit = time.monotonic() + 60
        size = len(whole["train.index.npy"]) - 12 * (45 - rows)
        while time.monotonic() < limit and not (index.exists() and index.stat().st_size >= size):
            time.sleep(0.003)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not json.loads((tmp_path / "train.json").read_text())["whole"]
        assert index.stat().st_size >= max(size, reached), "what was there stayed"
        reached = index.stat().st_size
        with pytest.raises(FileNotFoundError, match="no finished pack"):
            PackedFrames(frames, tmp_path, "train")
    process = _start(root, tmp_path, repo_root)
    output, _ = process.communicate(timeout=60)
    assert 0 < int(output) <= 15
    assert _contents(tmp_path) == whole


def test_two_at_once_make_one_pack(root, whole, tmp_path, repo_root) -> None:
    both = [_start(root, tmp_path, repo_root) for _ in range(2)]
    counts = sorted(int(process.communicate(timeout=60)[0]) for process in both)
    assert counts == [0, 45], "the second waited and read nothing"
    assert _contents(tmp_path) == whole


@pytest.mark.parametrize("damage", ["missing", "empty", "cut off"])
def test_a_bad_frame(tmp_path: Path, damage: str) -> None:
    frames = read_mars(make_mars_tree(tmp_path / "mars")).train_frames
    bad, whole = frames.path(11), frames.path(11).read_bytes()
    bad.unlink()
    if damage != "missing":
        bad.write_bytes(b"" if damage == "empty" else whole[:-20])
    with pytest.raises(FrameError, match=rf"Frame {bad} "):
        _pack(frames, tmp_path / "packed")
    packed = _pack(frames, tmp_path / "packed", on_bad_frame="skip_frame")
    assert packed.absent == 1
    with pytest.raises(FrameError, match=rf"Frame {bad} is not in .*train\.bin, .*: mend it, delete"):
        packed.encoded(11)
    assert all(packed.encoded(row) == frames.encoded(row) for row in range(45) if row != 11)
    # One that was begun leaving it out, and goes on without leaving it out.
    (described := packed.files.description).write_text(described.read_text().replace("true", "false"))
    bad.write_bytes(whole)
    packed = _pack(frames, tmp_path / "packed")
    assert packed.absent == 0
    assert packed.encoded(11) == whole


def test_a_full_disk(frames, whole, tmp_path, monkeypatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left") as error:
        patched.setattr(os, "fsync", full)
        _pack(frames, tmp_path)
    assert error.value.filename == str(tmp_path / "train.bin")
    assert not (tmp_path / "train.json").exists()
    _pack(frames, tmp_path)
    assert _contents(tmp_path) == whole


def test_where_nothing_can_be_written(frames: FrameList, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"train\.bin cannot be written .*: set data\.pack_folder to"):
        _pack(frames, tmp_path / "file" / "packed")
    with pytest.raises(ValueError, match="choose one of error, skip_frame"):
        _pack(frames, tmp_path, on_bad_frame="ignore")
