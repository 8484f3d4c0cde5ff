"""Images anywhere below a folder."""

import os
from pathlib import Path

import pytest

from vidreid.data.image_folder import list_images
from vidreid.errors import DataError, MissingDataError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_images_are_sorted_and_the_rest_is_left_out(tmp_path: Path) -> None:
    root = touch(
        tmp_path, "b/2.png", "b/10.JPG", "a.jpeg", "b/c/x.webp", "notes.txt",
        "keypoints/detector/pictures/s.png", ".hidden/a.png", "b/.a.png", "b/keypoints/kept.png", "b.bmp",
    )  # fmt: skip
    frames = list_images(root)
    names = [frames.relative(row) for row in range(len(frames))]
    assert names == ["a.jpeg", "b.bmp", "b/10.JPG", "b/2.png", "b/c/x.webp", "b/keypoints/kept.png"]
    assert frames.path(3) == root / "b" / "2.png"


def test_names_that_are_no_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    touch(tmp_path, name, "käse.png")
    frames = list_images(tmp_path)
    assert all(frames.path(row).is_file() for row in range(2))


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="There is no folder"):
        list_images(tmp_path / "gone")
    with pytest.raises(MissingDataError, match=r"no image below .* files of .bmp, "):
        list_images(touch(tmp_path / "text", "a.txt"))
    with pytest.raises(DataError, match="holds a line break: rename it"):
        list_images(touch(tmp_path / "broken", "a\nb.png"))
