"""Where the archive of a data set has been unpacked below the root, and what folders it holds."""

import os
from pathlib import Path

from vidreid.errors import MissingDataError


def find_folder(root: Path, above: str, inner: str, title: str) -> Path:
    """Return the folder that holds ``inner``: ``root``, ``root/above``, or ``root/above/above``.

    Args:
        root: Where the benchmark lies.
        above: The folder that the archive may make; unzipping may double it.
        inner: A folder of the data set.
        title: Of the data set.

    Raises:
        MissingDataError: If there is none.
    """
    if not root.is_dir():
        raise MissingDataError(
            f"There is no folder {root}: set data.root to the folder that holds {above}/{inner} or {inner}."
        )
    for place in (root, root / above, root / above / above):
        if (place / inner).is_dir():
            return place
    inside = [
        child
        for child in sorted(root.iterdir())
        if (child / inner).is_dir() or (child / above / inner).is_dir()
    ]
    hint = f"did you mean {inside[0]}?" if inside else f"unpack the images of {title} there."
    raise MissingDataError(f"{root} holds neither {above}/{inner} nor {inner}: {hint}")


def subfolders(folder: Path) -> list[str]:
    """Return the sorted names of the folders in a folder, without hidden ones."""
    return sorted(
        entry.name for entry in os.scandir(folder) if not entry.name.startswith(".") and entry.is_dir()
    )
