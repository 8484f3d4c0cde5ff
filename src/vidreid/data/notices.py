"""What a benchmark reader tells the user, or refuses under ``strict``."""

from collections.abc import Mapping

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


def differing_counts(counts: Mapping[str, int], published: Mapping[str, int], name: str) -> str | None:
    """Return a sentence that names the counts that differ from the published ones, or ``None``.

    Args:
        counts: What was found; has every key of ``published``.
        published: What there should be.
        name: Of the data set.
    """
    differing = [
        f"{what} {counts[what]:,} instead of {n:,}" for what, n in published.items() if counts[what] != n
    ]
    return f"counts differ from {name}: {'; '.join(differing)}." if differing else None
