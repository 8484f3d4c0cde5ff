"""Folders that several launches may want at once, and one launch of many processes must share."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import IO

from vidreid.commands.launching.agreement import first_decides
from vidreid.commands.launching.place import Place

_LOCK = ".lock"


def new_run_folder(runs: str, name: str) -> str:
    """Return the folder of a new run, the same on all its processes.

    It is named by the time, and made at once, so that another launch of the same second takes another one.
    Under srun it is named by the job and its step: when SLURM starts a job again, its run goes on.

    Args:
        runs: Where runs lie.
        name: Name of the experiment.
    """
    if Place.here().starter == "srun":
        return str(Path(runs) / name / f"slurm_{os.environ['SLURM_JOB_ID']}.{os.environ['SLURM_STEP_ID']}")
    return first_decides(lambda: _made_new(Path(runs) / name), lasting="run_folder")


def sweep_time() -> str:
    """Return the time by which the folder of a sweep is named, the same on all its processes."""
    return first_decides(lambda: datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")[:-3], lasting="sweep_time")


def _made_new(folder: Path) -> str:
    now = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for number in count(1):
        place = folder / (now if number == 1 else f"{now}_{number}")
        try:
            place.mkdir(parents=True)
        except FileExistsError:
            continue
        return str(place)
    raise AssertionError


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other launches out of a folder, after waiting until none trains in it.

    The first process of a launch locks for all. The lock falls with it, however it ends. On a disk that knows
    no locks there is none.

    Args:
        folder: The folder of a run; it is made if needed.
    """
    if Place.here().rank != 0:
        yield  # what the first one decides next comes after it has the lock
        return
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / _LOCK
    file = _locked(lock)
    try:
        yield
    finally:
        if file is not None:
            lock.unlink(missing_ok=True)
            file.close()


@contextmanager
def no_empty_folder(folder: Path) -> Iterator[None]:
    """Remove the folder of a run again if an error ends it before anything was written.

    Args:
        folder: The folder, which may be there or not.
    """
    try:
        yield
    except BaseException:
        if Place.here().rank == 0:
            with suppress(OSError):  # it is not empty, or was never made
                folder.rmdir()
        raise


def _locked(lock: Path) -> IO[str] | None:
    told = False
    while True:
        file = lock.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            if not told:
                print(f"another process trains in {lock.parent}: waiting for it to end")
                told = True
            time.sleep(1.0)
            continue
        except OSError:
            file.close()
            lock.unlink(missing_ok=True)
            return None
        # It may be the file that another process has just given up and removed.
        if lock.exists() and lock.stat().st_ino == os.fstat(file.fileno()).st_ino:
            return file
        file.close()
