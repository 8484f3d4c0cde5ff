"""In which order the file system lists a folder changes nothing: readers sort, or read lists."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.utils import instantiate

from support.runs import compose_training
from vidreid.data.benchmark import Benchmark

SETS = (
    "mars", "posetrackreid", "ilids_vid", "prid2011", "ccvid", "mevid", "x_mars", "g2a_vreid",
    "duke_video_reid", "ls_vid", "folders",
)  # fmt: skip
# These name their files in lists of their own.
LISTS_ONLY = ("mars", "mevid", "g2a_vreid")


class Entries:
    """What ``os.scandir`` gives, by name or the other way round."""

    def __init__(self, entries: Any, turned: bool) -> None:
        with entries:
            self._entries = iter(sorted(entries, key=lambda entry: entry.name, reverse=turned))

    def __enter__(self) -> "Entries":
        return self

    def __exit__(self, *args: object) -> None: ...

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def close(self) -> None: ...


@contextmanager
def listed(turned: bool) -> Iterator[list[str]]:
    """List folders by name, or the other way round; yields the folders that were listed."""
    scandir, listdir = os.scandir, os.listdir
    asked: list[str] = []

    def turned_scandir(path: Any = ".") -> Entries:
        asked.append(str(path))
        return Entries(scandir(path), turned)

    def turned_listdir(path: Any = ".") -> list[str]:
        asked.append(str(path))
        return sorted(listdir(path), reverse=turned)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", turned_scandir)
        patch.setattr(os, "listdir", turned_listdir)
        yield asked


def content(benchmark: Benchmark) -> dict[str, Any]:
    """Everything that the order of tracklets and frames shows in."""
    return {
        "train": benchmark.train.to_dict("list"),
        "test": benchmark.test.to_dict("list"),
        "train frames": [str(benchmark.train_frames.path(n)) for n in range(len(benchmark.train_frames))],
        "test frames": [str(benchmark.test_frames.path(n)) for n in range(len(benchmark.test_frames))],
        "subsets": {name: np.flatnonzero(rows).tolist() for name, rows in benchmark.subsets.items()},
    }


@pytest.fixture(scope="session")
def mars_root(tiny_root: Path) -> Path:
    return tiny_root


@pytest.fixture(scope="session")
def folders_root(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> Path:
    """Person, camera, tracklet, frames: twelve people in two cameras."""
    root = tmp_path_factory.mktemp("folders")
    pictures = sorted((tiny_root / "bbox_train").rglob("*.jpg"))
    for person in range(12):
        for camera in (1, 2):
            for tracklet in (1, 2):
                folder = root / f"p{person}" / f"cam{camera}" / f"t{tracklet}"
                folder.mkdir(parents=True)
                for frame in range(3):
                    os.link(pictures[person], folder / f"{frame}.jpg")
    return root


@pytest.mark.parametrize("name", SETS)
def test_the_order_of_a_listing_changes_nothing(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    root = request.getfixturevalue(f"{name}_root")
    config = compose_training(root, tmp_path, f"data={name}", "data.strict=false")

    def read() -> Benchmark:
        return instantiate(config.data).benchmark

    with listed(turned=False) as asked:
        one = content(read())
    assert any(str(root) in folder for folder in asked) or name in LISTS_ONLY
    with listed(turned=True):
        other = content(read())
    assert len(one["train frames"]) > 1
    for part, value in one.items():
        assert other[part] == value, part
