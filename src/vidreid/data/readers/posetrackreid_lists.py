"""The three lists of PoseTrackReID: JSON files of ``[[pose file names], identity, video]``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidreid.errors import DataError
from vidreid.files import read_json

TRAIN_FOLDER = "train"
TEST_FOLDER = "val"
TRAIN_LIST = "train_names.json"
QUERY_LIST = "query_names.json"
GALLERY_LIST = "gallery_names.json"


@dataclass(frozen=True)
class ListedTracklet:
    """One element of a list.

    Attributes:
        list_name: File of the list.
        place: Place in it, from 1.
        names: Names of its ``.pose`` files, at least one, as they are written.
        identity: As text.
        video: As text.
    """

    list_name: str
    place: int
    names: tuple[str, ...]
    identity: str
    video: str

    @property
    def where(self) -> str:
        """List and place, for messages."""
        return f"{self.list_name}, tracklet {self.place}"


def read_list(path: Path) -> list[ListedTracklet]:
    """Read a list.

    Raises:
        DataError: If the file is no list of such elements; the first wrong one is named.
    """
    elements = read_json(path)
    if not isinstance(elements, list) or not elements:
        raise DataError(
            f"{path} must be a list of [[pose file names], identity, video]; it holds "
            f"{'no tracklet' if elements == [] else 'something else'}: take the list of the data set."
        )
    return [_tracklet(element, path.name, place) for place, element in enumerate(elements, start=1)]


def image_path(tracklet: ListedTracklet, name: str, split: str, own_folder: str) -> str:
    """Return the path of a frame's image below the folder of its split.

    Accepted are a bare name, which lies in the folder of the identity; a path that contains the folder of
    keypoints (``.../val_keypoints/12/a.pose``), whatever stands before that; and a path below it
    (``12/a.pose``).

    Args:
        tracklet: Whose frame it is, for messages.
        name: One of its names.
        split: ``train`` or ``val``.
        own_folder: Folder of the identity.

    Raises:
        DataError: If it is no name of a ``.pose`` file of this split.
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    folders = [place for place, part in enumerate(parts[:-1]) if part.endswith("_keypoints")]
    if folders:
        if parts[folders[-1]] != f"{split}_keypoints":
            raise DataError(f"{tracklet.where}: {name!r} is not in {split}_keypoints, where it must be.")
        parts = parts[folders[-1] + 1 :]
    elif name.startswith(("/", "\\")):
        raise DataError(f"{tracklet.where}: {name!r} does not lead through a folder {split}_keypoints.")
    if ".." in parts or not parts or not parts[-1].endswith(".pose"):
        raise DataError(f"{tracklet.where}: {name!r} is no name of a .pose file.")
    parts[-1] = parts[-1].removesuffix(".pose") + ".jpg"
    return "/".join(parts if len(parts) > 1 else [own_folder, *parts])


def _tracklet(element: Any, list_name: str, place: int) -> ListedTracklet:
    where = f"{list_name}, tracklet {place}"
    if not isinstance(element, list) or len(element) != 3:
        raise DataError(
            f"{where} is {_short(element)} instead of [[pose file names], identity, video]: this list is "
            "damaged or of another format."
        )
    names, identity, video = element
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"{where} begins with {_short(names)} instead of a list of pose file names.")
    if not names:
        raise DataError(f"{where} has no frames: remove it from the list.")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{where} has the frame {twice!r} twice: remove one.")
    for what, value in (("identity", identity), ("video", video)):
        known = (isinstance(value, str) and value != "") or (type(value) is int and value >= 0)
        if not known:
            raise DataError(
                f"{where}: the {what} is {_short(value)} instead of a name or a number from 0 upwards."
            )
    return ListedTracklet(list_name, place, tuple(names), str(identity), str(video))


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
