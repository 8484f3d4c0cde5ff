"""The three lists of CCVID: a line names the folder of a tracklet, an identity and a label of clothes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidreid.errors import DataError

TRAIN_LIST = "train.txt"
QUERY_LIST = "query.txt"
GALLERY_LIST = "gallery.txt"

_CAMERAS = 12
_LATE_SESSION = "session3"
_FOLDER = re.compile(r"[^_]+_(\d{1,4})(?:_.*)?", re.ASCII)


@dataclass(frozen=True)
class ListedFolder:
    """One line of a list.

    Attributes:
        where: List and line, for messages.
        folder: Path of the tracklet's folder below that of the lists, such as ``session1/001_01``.
        identity: As text.
        clothes: Label of the clothes, as text; the same label on two identities means nothing.
        camera: The number in the folder's name, from 13 in the third session.
    """

    where: str
    folder: str
    identity: str
    clothes: str
    camera: int


def read_list(path: Path) -> list[ListedFolder]:
    """Read a list.

    Raises:
        DataError: If the file is no such list, or names a folder twice; the first wrong line is named.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text ({error.reason}): replace it by a whole copy.") from error
    listed = [
        _folder(line.split(), f"{path.name}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not listed:
        raise DataError(f"{path} names no tracklet: replace it by a whole copy.")
    first: dict[str, ListedFolder] = {}
    for own in listed:
        other = first.setdefault(own.folder, own)
        if other is not own:
            raise DataError(f"{own.where}: {own.folder} was named in {other.where} already: remove one line.")
    return listed


def check_owners(lists: Sequence[Sequence[ListedFolder]]) -> int:
    """Check that no two lists give a folder to different people or outfits.

    Returns:
        How many folders are in two lists.

    Raises:
        DataError: With the first folder that is.
    """
    first: dict[str, ListedFolder] = {}
    repeated = set()
    for own in (own for listed in lists for own in listed):
        other = first.setdefault(own.folder, own)
        if other is own:
            continue
        repeated.add(own.folder)
        if (other.identity, other.clothes) != (own.identity, own.clothes):
            raise DataError(
                f"{own.folder} shows identity {other.identity} in {other.clothes} by {other.where}, and "
                f"identity {own.identity} in {own.clothes} by {own.where}: correct the lists."
            )
    return len(repeated)


def _folder(fields: Sequence[str], where: str) -> ListedFolder:
    if len(fields) != 3:
        raise DataError(
            f"{where} has {len(fields)} fields instead of 3, a folder, an identity and a label of the "
            "clothes: this list is damaged or of another format."
        )
    path, identity, clothes = fields
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if path.startswith(("/", "\\")) or ".." in parts or "\0" in path or not parts:
        raise DataError(f"{where}: {path!r} is no path of a folder below the lists: correct it.")
    match = _FOLDER.fullmatch(parts[-1])
    if match is None:
        raise DataError(
            f"{where}: the folder {path!r} does not name its camera as 001_01 does, by a number behind the "
            "first underscore."
        )
    camera = int(match[1]) + (_CAMERAS if _LATE_SESSION in parts[:-1] else 0)
    return ListedFolder(where, "/".join(parts), identity, clothes, camera)
