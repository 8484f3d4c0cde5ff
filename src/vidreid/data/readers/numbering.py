"""Numbers for identities and cameras that a data set writes as text."""

from collections.abc import Sequence


def numbers(texts: Sequence[str]) -> dict[str, int]:
    """Return a number for each text: itself if all are whole numbers, otherwise its place in sorted order."""
    different = sorted(set(texts))
    # Longer ones would not fit the tables.
    if all(text.isdecimal() and len(text) <= 18 for text in different):
        return {text: int(text) for text in different}
    return {text: place for place, text in enumerate(different)}
