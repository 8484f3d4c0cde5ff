"""What the library raises about data that it cannot use."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_LONGEST = 900
_LONGEST_REASON = 120


class DataError(ValueError):
    """Data on disk are damaged, contradict each other or have another form than their reader expects.

    The message is one sentence for the user: what is wrong, where, what to do; quotations that make it
    endless are cut. Readers raise nothing else, whatever a file holds.
    """

    def __init__(self, sentence: str) -> None:
        if len(sentence) > _LONGEST:
            sentence = f"{sentence[: _LONGEST // 2]} […] {sentence[-_LONGEST // 3 :]}"
        super().__init__(sentence)


class MissingDataError(DataError, FileNotFoundError):
    """A file or folder that must be there is not."""


def first_line(error: BaseException) -> str:
    """Return the first line of what a library says was wrong, or the kind of its error; cut if it is long."""
    return (str(error).splitlines() or [type(error).__name__])[0][:_LONGEST_REASON]


def reads_files(read: Callable[P, R]) -> Callable[P, R]:
    """Turn what the file system refuses inside a reader into a ``DataError``.

    Denied permissions, links in a circle, a folder in the place of a file: the reader need not foresee them
    one by one.

    Args:
        read: The reader.
    """

    @functools.wraps(read)
    def reading(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return read(*args, **kwargs)
        except DataError:
            raise
        except OSError as error:
            raise DataError(
                f"{error.filename or 'A file of the data set'} cannot be read ({error.strerror or error}): "
                "check that it is what it should be, unpack it anew, or correct its permissions."
            ) from error

    return reading
