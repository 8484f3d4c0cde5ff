"""Files and folders are whole or absent, whatever interrupts their writing."""

import errno
from pathlib import Path

import pytest

from vidreid.files import build_folder_whole, write_whole


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
