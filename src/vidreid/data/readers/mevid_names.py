"""Frame names of MEVID in bulk, such as ``0201O003C330T004F00192.jpg``.

They say identity, outfit, camera, tracklet and frame.
"""

import numpy as np
from numpy.typing import NDArray

from vidreid.data.readers.mars_names import shown
from vidreid.errors import DataError

EXAMPLE = "0201O003C330T004F00192.jpg"

_LETTERS = {place: letter for place, letter in enumerate(EXAMPLE) if not letter.isdecimal()}
_DIGITS = [place for place in range(len(EXAMPLE)) if place not in _LETTERS]


def parse_names(names: NDArray[np.bytes_], name_list: str) -> NDArray[np.int64]:
    """Return identity, outfit and camera of each name, ``(frames, 3)``.

    Args:
        names: ``(frames,)`` byte strings.
        name_list: Their file, for messages.

    Raises:
        DataError: If a name does not follow the grammar; the first is quoted.
    """
    width = max(names.dtype.itemsize, len(EXAMPLE))
    letters = names.astype(f"S{width}").view(np.uint8).reshape(len(names), width)
    digits = letters - np.uint8(ord("0"))  # what stands before 0 becomes a large number
    fits = (digits[:, _DIGITS] <= 9).all(axis=1) & (letters[:, len(EXAMPLE) :] == 0).all(axis=1)
    for place, letter in _LETTERS.items():
        fits &= letters[:, place] == ord(letter)
    if not fits.all():
        wrong = int(np.argmin(fits))
        raise DataError(
            f"Line {wrong + 1} of {name_list} is {shown(names[wrong])!r}, which is no "
            f"MEVID frame name such as {EXAMPLE}."
        )
    fields = [digits[:, start:stop].astype(np.int64) for start, stop in ((0, 4), (5, 8), (9, 12))]
    return np.stack([field @ 10 ** np.arange(field.shape[1])[::-1] for field in fields], axis=1)


def check_names(
    facts: NDArray[np.int64],
    stops: NDArray[np.int64],
    names: NDArray[np.bytes_],
    tracks: str,
    name_list: str,
) -> None:
    """Check that each frame's name says the identity, outfit and camera of its tracklet.

    Args:
        facts: ``(n, 3)`` of the tracklets.
        stops: ``(n,)``, one past the last frame of each.
        names: ``(stops[-1],)``.
        tracks: File of the tracklets, for messages.
        name_list: File of the names, for messages.

    Raises:
        DataError: With the first frame that belongs to another.
    """
    owners = np.repeat(np.arange(len(stops)), np.diff(stops, prepend=0))
    wrong = (parse_names(names, name_list) != facts[owners]).any(axis=1)
    if wrong.any():
        frame = int(np.argmax(wrong))
        row = int(owners[frame])
        pid, outfit, camera = facts[row]
        raise DataError(
            f"Line {frame + 1} of {name_list} is {shown(names[frame])}, but its tracklet {row + 1} of "
            f"{tracks} is of identity {pid} in outfit {outfit} before camera {camera}: the files do not "
            "belong together."
        )
