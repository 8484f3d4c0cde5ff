"""What a file says of its joints: their names tell the skeleton."""

from collections.abc import Sequence
from typing import Any

from vidreid.keypoints.formats.entries import Place
from vidreid.keypoints.tool_skeletons import ALL_SKELETONS

# PoseTrack's name of the joint, and what its order of 15 is published with.
_OTHER_NAMES = {"head_bottom": "neck"}


def told_skeleton(names: Any, place: Place) -> str | None:
    """Return the skeleton with joints of these names, ``None`` if there are no names.

    Raises:
        DataError: If no skeleton has them.
    """
    if not names:
        return None
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        wanted = tuple(_OTHER_NAMES.get(name.lower(), name.lower()) for name in names)
        found = [name for name, skeleton in ALL_SKELETONS.items() if skeleton.names == wanted]
        if found:
            return found[0]
        raise place.wrong(
            f"its joints are {_cut(names)}, which is no skeleton that is known: choose a file of one "
            f"of {', '.join(ALL_SKELETONS)}"
        )
    raise place.wrong("the names of its joints are no list of names: write the file anew")


def agreed_skeleton(told: str | None, wanted: str | None, default: str, place: Place) -> str:
    """Return what a file tells, else what is wanted, else the default.

    Raises:
        DataError: If a file tells another than is wanted.
    """
    if told is not None and wanted is not None and told != wanted:
        raise place.wrong(f"its joints are named as those of {told}: leave out skeleton={wanted}")
    return told or wanted or default


def _cut(names: Sequence[str]) -> str:
    return f"{', '.join(names[:3])} and {len(names) - 3} more" if len(names) > 4 else ", ".join(names)
