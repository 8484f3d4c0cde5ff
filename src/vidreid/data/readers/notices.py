"""What a benchmark reader tells the user, or refuses under ``strict``."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vidreid.errors import DataError


def sentence_case(text: str) -> str:
    """Return a text with a capital letter, unless it begins with a path or another name."""
    first = text.split(" ", 1)[0]
    return text[0].upper() + text[1:] if first.isalpha() else text


def say(sentence: str, strict: bool, notices: list[str]) -> None:
    """Append a sentence to the notices.

    Raises:
        DataError: With the sentence, under ``strict``.
    """
    if strict:
        raise DataError(f"{sentence_case(sentence)} (data.strict=true)")
    notices.append(sentence)


def say_shared(train: pd.DataFrame, test: pd.DataFrame, strict: bool, notices: list[str]) -> None:
    """Say that identities are in the tables of both splits, if some are.

    Raises:
        DataError: Under ``strict``.
    """
    shared = len(np.intersect1d(train["pid"], test["pid"]))
    if shared:
        sentence = f"{shared} identities occur in training and in test: results will be too good."
        say(sentence, strict, notices)


def say_differing(
    counts: Mapping[str, int], published: Mapping[str, int], name: str, strict: bool, notices: list[str]
) -> None:
    """Say which counts differ from the published ones, if some do.

    Args:
        counts: What was found; has every key of ``published``.
        published: What there should be.
        name: Of the data set.
        strict: Raise instead.
        notices: Where it is said.

    Raises:
        DataError: Under ``strict``.
    """
    differing = [
        f"{what} {counts[what]:,} instead of {n:,}" for what, n in published.items() if counts[what] != n
    ]
    if differing:
        say(f"counts differ from {name}: {'; '.join(differing)}.", strict, notices)
