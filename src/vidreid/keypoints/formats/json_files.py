"""JSON files of pose tools: read whole, or a long list entry by entry."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from vidreid.errors import DataError, MissingDataError

_PIECE = 1 << 22
# No entry of a list is longer: what has not ended by then never does.
_LONGEST = 1 << 26
_BLANK = " \t\r\n"
_BROKEN = (ValueError, RecursionError)

# Python writes NaN and Infinity for numbers that are none. What is infinite after this was written as digits.
_DECODER = json.JSONDecoder(parse_constant=lambda _: math.nan)


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; ``NaN`` and ``Infinity`` are NaN.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If it is no JSON.
    """
    with _open(path) as file:
        try:
            return _DECODER.decode(file.read())
        except _BROKEN as error:
            raise _unreadable(path, error) from error


def first_character(path: Path) -> str:
    """Return the first character of a file that is not blank, ``[`` for a JSON list; empty if there is none.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If it is no text.
    """
    with _open(path) as file:
        try:
            return file.read(1 << 12).lstrip(_BLANK)[:1]
        except ValueError as error:
            raise _unreadable(path, error) from error


def json_entries(path: Path) -> Iterator[Any]:
    """Yield the objects of a JSON list one after another; the file is never in memory as a whole.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If it is no JSON list of objects; that may show only after the first entries.
    """
    with _open(path) as file:
        try:
            yield from _entries(file)
        except _BROKEN as error:
            raise _unreadable(path, error) from error


def _entries(file: IO[str]) -> Iterator[Any]:
    text = file.read(_PIECE).lstrip(_BLANK)
    if not text.startswith("["):
        raise ValueError("it does not begin with [")
    place, first = 1, True
    while True:
        text, place, sign = _next_sign(file, text, place)
        if sign == "," and not first:
            text, place, sign = _next_sign(file, text, place + 1)
        elif sign != "]" and not first:
            raise ValueError(f"an entry is followed by {sign!r}" if sign else "it ends within the list")
        elif sign == "]":
            if _next_sign(file, text, place + 1)[2]:
                raise ValueError("something follows the list")
            return
        if sign != "{":
            raise ValueError(f"an entry begins with {sign!r}" if sign else "it ends within the list")
        while True:
            try:
                entry, place = _DECODER.raw_decode(text, place)
                break
            except json.JSONDecodeError:
                more = file.read(max(_PIECE, len(text) - place)) if len(text) - place < _LONGEST else ""
                if not more:
                    raise
                text, place = text[place:] + more, 0
        first = False
        yield entry


def _next_sign(file: IO[str], text: str, place: int) -> tuple[str, int, str]:
    """Return the text, the place of the next character that is not blank, and that; empty at the end."""
    while True:
        while place < len(text) and text[place] in _BLANK:
            place += 1
        if place < len(text):
            return text, place, text[place]
        text, place = file.read(_PIECE), 0
        if not text:
            return "", 0, ""


def _open(path: Path) -> IO[str]:
    try:
        return path.open(encoding="utf-8-sig")
    except OSError as error:
        raise MissingDataError(
            f"{path} cannot be read ({error.strerror}): name a file of the pose tool that is there."
        ) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    told = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return DataError(f"{path} is not readable as JSON ({told}): replace it by a whole copy.")
