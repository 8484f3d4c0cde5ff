"""A folder tree ``person/camera/tracklet/frames`` of one's own data."""

import os
import re
from pathlib import Path

import pandas as pd

from vidreid.data.own.own_frames import Cameras, OwnFrames, check_cameras
from vidreid.errors import DataError, MissingDataError, reads_files

IMAGES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
NOT_PEOPLE = ("keypoints", "frames_keypoints", "__MACOSX", "@eaDir")
"""Folders beside those of the people: of keypoints, and what systems leave behind."""

_LEVELS = {"given": ("person", "camera", "tracklet"), "each_tracklet": ("person", "tracklet")}
_DIGITS = re.compile(r"([0-9]+)")


@reads_files
def read_folder_tree(root: str | Path, cameras: Cameras = "given") -> OwnFrames:
    """Read the names in a folder tree; images are not opened.

    Everything is sorted by the numbers in its name: ``9.jpg`` comes before ``10.jpg``. Hidden files and files
    that are no images are left alone.

    Args:
        root: The folder of the people's folders.
        cameras: ``given``: the second level is the camera; ``each_tracklet``: it may be missing, and is not
            used.

    Raises:
        MissingDataError: If there is no such folder, nothing in it, or a tracklet without frames.
        DataError: If frames lie elsewhere than in ``person/camera/tracklet``, a link leads into a circle, or
            a name is not UTF-8.
        ValueError: For other ``cameras``.
    """
    check_cameras(cameras)
    root = Path(root)
    if not root.is_dir():
        raise MissingDataError(
            f"There is no folder {root}: set data.root to the folder that holds a folder for each person."
        )
    rows: list[tuple[str, str, str, str]] = []
    people, frames = _inside(root)
    people = [name for name in people if name not in NOT_PEOPLE]
    if frames:
        raise DataError(f"The frame {root / frames[0]} lies {_elsewhere(cameras)}")
    for person in people:
        _walk(root, (person,), cameras, rows)
    if not rows:
        raise MissingDataError(f"{root} holds no folder of a person: put {_LAYOUT[cameras]} there.")
    table = pd.DataFrame(rows, columns=["tracklet", "person", "camera", "frame_path"], dtype=str)
    return OwnFrames(str(root), root, table if cameras == "given" else table.drop(columns="camera"))


def natural_key(name: str) -> list[tuple[int, str]]:
    """Return what sorts a name by the numbers in it, and then by the name itself."""
    parts = _DIGITS.split(name)
    numbered = [(int(part), "") if place % 2 else (0, part) for place, part in enumerate(parts)]
    return [*numbered, (0, name)]


_LAYOUT = {
    "given": "person/camera/tracklet/frames",
    "each_tracklet": "person/tracklet/frames or person/camera/tracklet/frames",
}


def _walk(
    root: Path, above: tuple[str, ...], cameras: Cameras, rows: list[tuple[str, str, str, str]]
) -> None:
    """Append the frames below a folder."""
    folder = root.joinpath(*above)
    folders, frames = _inside(folder)
    depth, wanted = len(above), len(_LEVELS[cameras])
    if folders and frames:
        raise DataError(f"{folder} holds both frames and folders, such as {folders[0]}: move one kind away.")
    if frames:
        # Without cameras their level may still be there.
        if depth < wanted or depth > 3:
            raise DataError(f"The frame {folder / frames[0]} lies {_elsewhere(cameras)}")
        path = "/".join(above)
        camera = above[1] if depth == 3 else ""
        rows.extend((path, above[0], camera, f"{path}/{frame}") for frame in frames)
    elif not folders:
        raise MissingDataError(
            f"{folder} holds no frame ({', '.join(IMAGES)}): put its frames there, or remove it."
        )
    elif depth >= 3:
        raise DataError(
            f"{folder / folders[0]} is a folder where frames should be: the order is {_LAYOUT[cameras]}."
        )
    for name in folders:
        _walk(root, (*above, name), cameras, rows)


def _inside(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the folders and the images in a folder, sorted."""
    folders, frames = [], []
    try:
        for entry in os.scandir(folder):
            name = entry.name
            if name.startswith("."):
                continue
            if entry.is_dir():
                _check_link(folder, entry)
                folders.append(_readable(folder, name))
            elif os.path.splitext(name)[1].lower() in IMAGES:  # noqa: PTH122 - a Path for each frame takes long
                frames.append(_readable(folder, name))
    except OSError as error:
        raise DataError(
            f"{error.filename or folder} cannot be read ({error.strerror}): correct it."
        ) from error
    return sorted(folders, key=natural_key), sorted(frames, key=natural_key)


def _check_link(folder: Path, entry: os.DirEntry[str]) -> None:
    if entry.is_symlink():
        here, there = folder.resolve(), Path(entry.path).resolve()
        if there == here or there in here.parents:
            raise DataError(f"{entry.path} is a link to {there}, which it lies in itself: remove it.")


def _readable(folder: Path, name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"The name {os.fsencode(name)!r} in {folder} is not UTF-8: rename it.") from None
    return name


def _elsewhere(cameras: Cameras) -> str:
    words = f"elsewhere than {_LAYOUT[cameras]} says: move it"
    if cameras == "given":
        words += (
            ", or set data.cameras=each_tracklet if there are no folders of cameras because nobody knows them"
        )
    return f"{words}."
