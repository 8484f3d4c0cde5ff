"""The frames of a folder in the order of their numbers."""

import os
import re
from pathlib import Path

from vidreid.errors import DataError, MissingDataError

_IMAGES = (".png", ".jpg", ".jpeg")


def numbered_frames(folder: Path, pattern: re.Pattern[str], example: str) -> list[str]:
    """Return the names of the frames of a tracklet by their numbers; other files are left out.

    Args:
        folder: The folder of the tracklet.
        pattern: Of a frame's whole name without its ending; the group ``frame`` is its number.
        example: A frame's name, for messages.

    Raises:
        MissingDataError: If there is no frame.
        DataError: If an image has another name, or a number comes twice.
    """
    numbered: dict[int, str] = {}
    for name in sorted(entry.name for entry in os.scandir(folder)):
        stem, dot, ending = name.rpartition(".")
        if name.startswith(".") or f"{dot}{ending}".lower() not in _IMAGES:
            continue
        match = pattern.fullmatch(stem)
        if match is None:
            raise DataError(
                f"{folder / name} is not named like a frame of this folder, such as {example}: rename it, or "
                "move it away."
            )
        first = numbered.setdefault(int(match["frame"]), name)
        if first != name:
            raise DataError(f"{folder} holds one frame twice, {first} and {name}: move one of them away.")
    if not numbered:
        raise MissingDataError(f"{folder} holds no frame such as {example}: unpack this folder anew.")
    return [numbered[number] for number in sorted(numbered)]
