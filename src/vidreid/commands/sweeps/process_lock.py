"""A file that at most one living process holds; the system lets go of it when that process dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hold(file: Path, otherwise: str) -> Iterator[None]:
    """Hold a lock for the length of a block.

    Record locks are of a process and not inherited: workers that outlive it hold nothing.

    Args:
        file: The lock file; it is made and stays.
        otherwise: What to say if another process holds it; ``{process}`` is its number.

    Raises:
        ValueError: If another process holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as handle:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            raise ValueError(otherwise.format(process=handle.read().strip() or "unknown")) from error
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield
