"""Ways to spoil one file of a tree on purpose."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.io import loadmat, savemat

Spoil = Callable[[Path], object]
"""Is given the root of a tree."""


def one(root: Path, glob: str) -> Path:
    return sorted(root.glob(glob))[0]


def cut(glob: str, share: float = 0.5) -> Spoil:
    def spoil(root: Path) -> None:
        data = one(root, glob).read_bytes()
        one(root, glob).write_bytes(data[: int(share * len(data))])

    return spoil


def text(glob: str, old: str, new: str) -> Spoil:
    """Replace the first of these words in a text file."""

    def spoil(root: Path) -> None:
        content = one(root, glob).read_text()
        assert old in content, content[:200]
        one(root, glob).write_text(content.replace(old, new, 1))

    return spoil


def raw(glob: str, content: bytes) -> Spoil:
    return lambda root: one(root, glob).write_bytes(content)


def loaded(glob: str, change: Callable[[list], object]) -> Spoil:
    """Change the content of a JSON file in place."""

    def spoil(root: Path) -> None:
        content = json.loads(one(root, glob).read_text())
        change(content)
        one(root, glob).write_text(json.dumps(content))

    return spoil


def matrix(glob: str, change: Callable[[np.ndarray], np.ndarray | str]) -> Spoil:
    def spoil(root: Path) -> None:
        ((name, old),) = ((k, v) for k, v in loadmat(one(root, glob)).items() if not k.startswith("__"))
        savemat(one(root, glob), {name: change(old)})

    return spoil


def put(value: object, *place: int) -> Callable[[list], None]:
    def change(content: list) -> None:
        for number in place[:-1]:
            content = content[number]
        content[place[-1]] = value

    return change


def at(value: float, *place: int) -> Callable[[np.ndarray], np.ndarray]:
    def change(old: np.ndarray) -> np.ndarray:
        new = old.astype(np.float64)
        new[place] = value
        return new

    return change


def emptied(glob: str) -> Spoil:
    return lambda root: [path.unlink() for path in one(root, glob).iterdir()]


def looped(glob: str) -> Spoil:
    def spoil(root: Path) -> None:
        path = one(root, glob)
        path.rename(root / ".aside")
        path.symlink_to(path)

    return spoil


def renamed(glob: str, name: bytes) -> Spoil:
    return lambda root: one(root, glob).rename(one(root, glob).with_name(os.fsdecode(name)))


def first_name_twice(root: Path) -> None:
    names = (root / "info/train_name.txt").read_bytes().split(b"\r\n")
    (root / "info/train_name.txt").write_bytes(b"\r\n".join([names[0], *names[:1], *names[2:]]))
