"""Names of folders from the names of videos, cameras and tracks."""

import re
from collections.abc import Sequence

_LONGEST = 80


def folder_names(texts: Sequence[str]) -> list[str]:
    """Return a name of a folder for each text, different ones also where a file system ignores case.

    Letters, digits, dots and hyphens stay; all else becomes a hyphen, so that ``_`` is free to join names.

    Args:
        texts: Equal ones get different names too.
    """
    names: list[str] = []
    taken: set[str] = set()
    for text in texts:
        plain = re.sub(r"[^\w.-]|_", "-", text)[:_LONGEST].strip(".") or "-"
        name, again = plain, 1
        while name.casefold() in taken:
            again += 1
            name = f"{plain}.{again}"
        taken.add(name.casefold())
        names.append(name)
    return names
