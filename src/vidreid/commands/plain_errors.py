"""The library's own error messages reach the user as one sentence, without a traceback."""

import errno
import functools
import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, TypeVar

from omegaconf import MissingMandatoryValue

P = ParamSpec("P")
R = TypeVar("R")


def plain_errors(task: Callable[P, R]) -> Callable[P, R]:
    """Print deliberate errors as ``error: <sentence>`` and exit with status 1.

    An error is deliberate if the library itself raised it (the innermost frame lies in ``vidreid``) as a
    ``ValueError`` or ``OSError``, if a setting that must be given is not, or if the disk is full. Everything
    else keeps its traceback; ``VIDREID_TRACEBACK=1`` keeps all.

    Args:
        task: The function behind an entry point.
    """

    @functools.wraps(task)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return task(*args, **kwargs)
        except Exception as error:
            sentence = None if os.environ.get("VIDREID_TRACEBACK") else sentence_of(error)
            if sentence is None:
                raise
            print(f"error: {sentence}", file=sys.stderr)
            sys.exit(1)

    return wrapper


def sentence_of(error: BaseException) -> str | None:
    """Return the message of a deliberate error, searching through what wraps it (Hydra's instantiation).

    Args:
        error: What was raised.

    Returns:
        The sentence, or ``None`` if nobody meant to raise it.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MissingMandatoryValue):
            return f"Nobody says what {seen.full_key} is: add {seen.full_key}=VALUE to the command."
        # First: what writes to a full disk is often a line of ours.
        if isinstance(seen, OSError) and seen.errno == errno.ENOSPC:
            return (
                f"The disk is full ({seen.filename or 'no file named'}): free some space and start again; "
                "nothing half-written will be taken for whole."
            )
        if isinstance(seen, ValueError | OSError) and _raised_by_us(seen.__traceback__):
            return str(seen)
        seen = seen.__cause__
    return None


def _raised_by_us(traceback: TracebackType | None) -> bool:
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_globals.get("__name__", "").startswith("vidreid")
