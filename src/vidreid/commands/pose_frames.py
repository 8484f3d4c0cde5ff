"""Whose keypoints ``pose`` estimates, and where they go."""

from pathlib import Path

from vidreid.data.datamodule import ReidDataModule
from vidreid.data.tracklets import FrameList

FOLDER_LIST = "frames"
"""Name of the store of a plain folder of images."""

_SPLITS = ("both", "train", "test")


def benchmark_frames(data: ReidDataModule, split: str) -> dict[str, FrameList]:
    """Return the frame lists of a benchmark by the names of their stores; a list that both share comes once.

    Args:
        data: The benchmark.
        split: ``train``, ``test`` or ``both``.

    Raises:
        ValueError: For another split.
    """
    if split not in _SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(_SPLITS)}.")
    lists: dict[str, FrameList] = {}
    if split in ("both", "train"):
        lists[data.train_split] = data.benchmark.train_frames
    if split in ("both", "test"):
        lists[data.test_split] = data.benchmark.test_frames
    return lists


def store_folder(root: Path, name: str) -> Path:
    """Return the folder of the stores of this name.

    Args:
        root: Of the benchmark, or the folder of images.
        name: Of the stores; ``detector`` is where ``data.keypoints=detector`` looks.

    Raises:
        ValueError: If the name is no name of a folder.
    """
    if not isinstance(name, str) or name in ("", ".", "..") or Path(name).name != name:
        raise ValueError(f"name={name} is no name of a folder in {root / 'keypoints'}: take one word.")
    return root / "keypoints" / name
