"""Names of people, cameras and tracklets as they are written: text, whole numbers, and what spreadsheets
make of these."""

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from vidreid.errors import DataError

# Longer ones fit no table and are names.
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_FLOAT = re.compile(r"([+-]?[0-9]{1,18})\.0+")
_NO_VALUE = frozenset({"nan", "NaN", "NAN", "None", "null", "NULL", "NA", "<NA>", "#N/A"})
"""What programs write where there is nothing."""


def clean_ids(values: pd.Series, what: str, where: str, if_unknown: str) -> pd.Series:
    """Return ids as one text each: ``1.0`` is ``1``.

    Args:
        values: Text, with the number of the row as index.
        what: They are, for messages.
        where: They stand, for messages.
        if_unknown: What to do where there is none, for the message.

    Raises:
        DataError: If one is what programs write where there is nothing, such as ``NaN``.
    """
    codes, written = pd.factorize(values)
    nothing = next((number for number, text in enumerate(written) if text in _NO_VALUE), None)
    if nothing is not None:
        row = values.index[int(np.argmax(codes == nothing))]
        raise DataError(
            f"{where}, row {row}: the {what} is {written[nothing]!r}, which is no name: {if_unknown}."
        )
    cleaned = [match[1] if (match := _FLOAT.fullmatch(text)) else text for text in written]
    return pd.Series(np.array(cleaned, dtype=object)[codes], index=values.index)


def in_order(ids: Iterable[str], what: str, where: str) -> list[str]:
    """Return each different id once: by number if all are whole numbers, otherwise as text.

    ``007`` is a name and stays what it is.

    Args:
        ids: As ``clean_ids`` gives them.
        what: They are, for messages.
        where: They stand, for messages.

    Raises:
        DataError: If two are one number, such as ``007`` and ``7``.
    """
    different = sorted(set(ids))
    numbers: dict[int, str] = {}
    for text in different:
        if _INTEGER.fullmatch(text):
            first = numbers.setdefault(int(text), text)
            if first != text:
                raise DataError(
                    f"{where} has a {what} {first!r} and a {what} {text!r}, one number written in two ways: "
                    "write it in one."
                )
    return [numbers[number] for number in sorted(numbers)] if len(numbers) == len(different) else different
