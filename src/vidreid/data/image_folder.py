"""Images anywhere below a folder as a frame list."""

import os
from pathlib import Path

import numpy as np

from vidreid.data.tracklets import FrameList
from vidreid.errors import DataError, MissingDataError

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Of image files, in lower case."""


def list_images(folder: str | Path, leave_out: str = "keypoints") -> FrameList:
    """List the images below a folder, sorted by their paths; none is opened.

    Args:
        folder: The folder. What is hidden in it, files and folders, is left out.
        leave_out: A folder directly below it that is left out too: the one of the keypoints.

    Raises:
        MissingDataError: If there is no such folder, or no image in it.
        DataError: If the name of an image holds a line break, which a list of names cannot.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingDataError(f"There is no folder {folder}: set folder to the one that holds the images.")
    paths: list[str] = []
    for parent, folders, files in os.walk(folder):
        below = os.path.relpath(parent, folder)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if below == ".":
            folders[:] = [name for name in folders if name != leave_out]
        prefix = "" if below == "." else f"{Path(below).as_posix()}/"
        paths += [
            f"{prefix}{name}"
            for name in files
            if not name.startswith(".") and name.lower().endswith(SUFFIXES)
        ]
    if not paths:
        raise MissingDataError(
            f"There is no image below {folder}: set folder to one with files of {', '.join(SUFFIXES)}."
        )
    broken = [path for path in paths if "\n" in path or "\r" in path]
    if broken:
        raise DataError(f"The name of {folder / broken[0]!r} holds a line break: rename it.")
    names = sorted(os.fsencode(path) for path in paths)
    return FrameList(folder, np.array(names, dtype=np.bytes_), prefix=0)
