"""Frame names of a MARS tree in bulk: rebuilding a name list from the folders, and taking names apart."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidreid.data.mars_format import parse_frame_name
from vidreid.errors import DataError


def rebuild_names(folder: Path) -> NDArray[np.bytes_]:
    """List the frames in the folders of a split in the order of MARS's own lists.

    That is the folders by ASCII name (``00-1``, ``0000``, ``0001`` …) and in them the frames by name, numbers
    above 999 after 999. Files that are no frames are left out.

    Args:
        folder: ``bbox_train`` or ``bbox_test``.

    Returns:
        ``(frames,)`` byte strings.
    """
    names: list[str] = []
    for identity in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()):
        names += names_of_identity(folder / identity)
    return np.array(names, dtype=np.bytes_)


def names_of_identity(folder: Path) -> list[str]:
    """List the frames in the folder of an identity, by name, numbers above 999 after 999."""
    found = [(_order(entry.name), entry.name) for entry in os.scandir(folder)]
    return [name for _, name in sorted((key, name) for key, name in found if key is not None)]


def parse_names(names: NDArray[np.bytes_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return identity and camera of each name; the million names of MARS take a fraction of a second.

    Raises:
        DataError: If a name does not follow the grammar; the first is quoted.
    """
    width = names.dtype.itemsize
    if len(names) == 0 or width < 19:
        raise DataError("The name list is empty or holds no MARS frame names such as 0001C1T0001F001.jpg.")
    letters = names.view(np.uint8).reshape(len(names), width)
    junk = (letters[:, :4] == np.frombuffer(b"00-1", np.uint8)).all(axis=1)
    digits = letters.astype(np.int8) - ord("0")
    numeric = (digits >= 0) & (digits <= 9)
    places = [0, 1, 2, 3, 5, 7, 8, 9, 10, 12, 13, 14]
    numeric[junk, :4] = True
    fits = numeric[:, places].all(axis=1)
    for place, letter in ((4, "C"), (6, "T"), (11, "F")):
        fits &= letters[:, place] == ord(letter)
    if not fits.all():
        wrong = int(np.argmin(fits))
        raise DataError(
            f"Line {wrong + 1} of the name list is {names[wrong].decode(errors='replace')!r}, which is no "
            "MARS frame name such as 0001C1T0001F001.jpg."
        )
    pids = digits[:, :4].astype(np.int64) @ np.array([1000, 100, 10, 1])
    pids[junk] = -1
    return pids, digits[:, 5].astype(np.int64)


def shown(name: bytes | NDArray[np.bytes_]) -> str:
    """Return a name of a list for a message, whatever its bytes are."""
    return bytes(name).decode(errors="replace")


def _order(name: str) -> tuple[str, int] | None:
    """Return what frames of one folder are sorted by, or ``None`` for another file."""
    try:
        frame = parse_frame_name(name)[-1]
    except ValueError:
        return None
    return name[:12], frame
