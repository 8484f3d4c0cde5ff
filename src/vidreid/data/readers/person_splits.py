"""Random splits of the people of a data set into halves for training and test."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from vidreid.errors import DataError
from vidreid.files import read_json


class PersonSplit(NamedTuple):
    """One split, as names of the people's folders.

    Attributes:
        train: Whom a network learns from.
        test: Who is searched for.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]


def read_split_list(path: Path) -> list[PersonSplit]:
    """Read a JSON list of ``{"train": [names], "test": [names]}``.

    Raises:
        DataError: If the file is no such list, or a name comes twice in a split.
    """
    listed = read_json(path)
    if not isinstance(listed, list) or not listed:
        raise DataError(
            f'{path} must be a list of {{"train": [names], "test": [names]}} and is none: take the file '
            "of the data set."
        )
    return [_split(element, f"{path}, split {number}") for number, element in enumerate(listed)]


def choose_split(splits: Sequence[PersonSplit], number: int, path: Path) -> PersonSplit:
    """Return a split by its number, from 0.

    Args:
        splits: All of them.
        number: Which.
        path: Where they stand, for the message.

    Raises:
        DataError: If there is no such split.
    """
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(splits):
        raise DataError(
            f"data.split={number} is not among the {len(splits)} splits of {path}: choose one of "
            f"0..{len(splits) - 1}."
        )
    return splits[number]


def people(splits: Sequence[PersonSplit]) -> list[str]:
    """Return the names of everybody in any split, sorted."""
    return sorted({name for split in splits for half in split for name in half})


def _split(element: Any, where: str) -> PersonSplit:
    if not isinstance(element, dict):
        raise DataError(f'{where} is not of the form {{"train": [names], "test": [names]}}: correct it.')
    halves = []
    for half in ("train", "test"):
        names = element.get(half)
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise DataError(f"{where}: {half!r} is no list of names of people's folders: correct it.")
        halves.append(tuple(sorted(names)))
    both = sorted([*halves[0], *halves[1]])
    twice = next((name for name, after in pairwise(both) if name == after), None)
    if twice is not None:
        raise DataError(f"{where} names {twice} twice, so that nobody can tell its half: correct it.")
    return PersonSplit(*halves)
