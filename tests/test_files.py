"""Files and folders are whole or absent, whatever interrupts their writing."""

import errno
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from vidreid.files import (
    archive_damage,
    build_folder_whole,
    read_json,
    remove_partial_files,
    write_json,
    write_whole,
)


@pytest.mark.parametrize(
    "interruption", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")]
)
def test_an_interrupted_file_leaves_the_old_one(tmp_path: Path, interruption: BaseException) -> None:
    file = tmp_path / "numbers.json"
    file.write_text("old")
    with pytest.raises(type(interruption)), write_whole(file) as temporary:
        temporary.write_text("half of the n")
        raise interruption
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "new" / "numbers.json"
    with write_whole(file) as temporary:
        temporary.write_text("whole")
        assert not file.exists()
        assert temporary.parent == file.parent, "a move across file systems would not be atomic"
        assert temporary.suffix == ".json"
    assert file.read_text() == "whole"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    "interruption", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")]
)
def test_an_interrupted_folder_leaves_nothing(tmp_path: Path, interruption: BaseException) -> None:
    with pytest.raises(type(interruption)), build_folder_whole(tmp_path / "tree") as temporary:
        (temporary / "deep").mkdir()
        (temporary / "deep" / "a.jpg").write_bytes(b"a")
        raise interruption
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_built_over_another(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "mine.txt").write_text("mine")
    refused = pytest.raises(FileExistsError, match="exists already: remove it or choose another")
    with refused, build_folder_whole(tmp_path / "tree"):
        pass
    assert (tmp_path / "tree" / "mine.txt").read_text() == "mine"


def test_a_whole_folder_takes_its_place(tmp_path: Path) -> None:
    with build_folder_whole(tmp_path / "tree") as temporary:
        (temporary / "a.jpg").write_bytes(b"a")
        assert not (tmp_path / "tree").exists()
    assert (tmp_path / "tree" / "a.jpg").read_bytes() == b"a"
    assert [p.name for p in tmp_path.iterdir()] == ["tree"]


def test_the_disk_has_a_file_before_its_name_and_the_name_before_the_next_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut the name leads to the old or the new content, never to an empty file."""
    happened: list[tuple[str, str]] = []
    flush, move = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        happened.append(("flush", str(Path(f"/proc/self/fd/{handle}").readlink())))
        flush(handle)

    def replace(source: Path, target: Path) -> Path:
        happened.append(("move", str(source)))
        return move(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    with write_whole(tmp_path / "a" / "b" / "numbers.json") as temporary:
        temporary.write_text("whole")
    folders = [str(tmp_path / "a" / "b"), str(tmp_path / "a"), str(tmp_path)]
    assert happened[:2] == [("flush", str(temporary)), ("move", str(temporary))]
    # The file's name lies in the first folder, and the new folders' names in the other two.
    assert sorted(set(happened[2:])) == sorted(("flush", folder) for folder in folders)


KILLED = """
import os, signal, sys
from vidreid.files import write_whole
with write_whole(sys.argv[1]) as temporary:
    temporary.write_text("half of the n")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_while_writing_leaves_the_old_file_and_its_half_is_removed(
    tmp_path: Path, repo_root: Path
) -> None:
    file = tmp_path / "last.ckpt"
    file.write_text("old")
    for name in ("notes.partial-1", ".hidden"):
        (tmp_path / name).write_text("mine")
    (tmp_path / ".tree.partial-2").mkdir()
    command = [sys.executable, "-c", KILLED, str(file)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(repo_root / "src")}, check=False)
    assert done.returncode == -signal.SIGKILL
    (half,) = tmp_path.glob(".last.ckpt.partial-*")
    assert half.read_text() == "half of the n"
    assert file.read_text() == "old"
    remove_partial_files(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".hidden", ".tree.partial-2", "last.ckpt", "notes.partial-1"]
    remove_partial_files(tmp_path / "nowhere")


def test_a_changed_byte_in_an_archive_is_noticed(tmp_path: Path) -> None:
    """Torch reads it without a word, so the archive's checksums are asked."""
    file = tmp_path / "x.ckpt"
    torch.save({"weight": torch.arange(1000.0)}, file)
    assert archive_damage(file) is None
    content = bytearray(file.read_bytes())
    content[content.index(torch.arange(1000.0).numpy().tobytes()) + 2001] ^= 4
    file.write_bytes(content)
    assert not torch.load(file, weights_only=True)["weight"].equal(torch.arange(1000.0))
    assert archive_damage(file) == "Bad CRC-32 for file 'x/data/0'"


def test_an_archive_that_was_written_without_checksums_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"weight": torch.arange(1000.0)}, tmp_path / "x.pth")
    finally:
        torch.serialization.set_crc32_options(True)
    assert zipfile.ZipFile(tmp_path / "x.pth").testzip() == "x/data.pkl"
    assert archive_damage(tmp_path / "x.pth") is None


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path):
    file = tmp_path / "numbers.json"
    write_json(file, {"rank1": 0.5, "name": "Ä"})
    assert read_json(file) == {"rank1": 0.5, "name": "Ä"}
    with pytest.raises(TypeError):
        write_json(file, {"rank1": object()})
    assert read_json(file) == {"rank1": 0.5, "name": "Ä"}
    assert [path.name for path in tmp_path.iterdir()] == ["numbers.json"]
