"""Files and folders that are either whole or absent, and reading those that may be damaged.

A crash, a full disk or Ctrl-C must never leave a half-written file that a later run takes for whole.
Everything that the library writes goes through the two context managers.
"""

import errno
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidreid.errors import DataError, MissingDataError, first_line

_FOLDER = 0x10  # in the attributes of a member of a ZIP archive


@contextmanager
def write_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` and move it there once the block has succeeded.

    The data are flushed to disk before the move and the folder after it, so that ``path`` holds either the
    old or the new content, also after a power cut, and the new one once the block is left. If the block
    raises, the temporary file is removed and ``path`` stays as it was; only a killed process leaves it
    behind, for ``remove_partial_files``.

    Args:
        path: The file to write. Its folder is made if needed.
    """
    path = Path(path)
    new_folders = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.partial-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    for folder in (path.parent, *(new.parent for new in new_folders)):
        _flush_folder(folder)


def remove_partial_files(folder: str | os.PathLike[str]) -> None:
    """Remove what killed processes left half-written in a folder, if it exists; not in those below it.

    Call it only where nobody writes into the folder at the same time.
    """
    for leftover in Path(folder).glob(".*.partial-*"):
        if leftover.is_file():
            leftover.unlink()


@contextmanager
def build_folder_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary folder beside ``path`` and rename it to ``path`` once the block has succeeded.

    Unlike ``write_whole`` it does not wait until the disk has the files: after a power cut, build it anew.

    Args:
        path: The folder to build.

    Raises:
        FileExistsError: If ``path`` exists and is not an empty folder.
    """
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(f"{path} exists already: remove it or choose another folder.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.partial-", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            path.rmdir()
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If it cannot be read or is no JSON, whatever else it holds.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingDataError(f"There is no file {path}: take it from a whole copy.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): replace it by a whole copy.") from error
    # No JSON, no UTF-8, a number of more digits than Python converts, or nested without end.
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not readable as JSON ({error}): replace it by a whole copy.") from error


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write a value as a JSON file, whole; see ``write_whole``."""
    with write_whole(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def read_array(path: str | os.PathLike[str], *, mapped: bool = False) -> NDArray[np.generic]:
    """Read a ``.npy`` file of numbers.

    Args:
        path: The file.
        mapped: Map it into memory instead of reading it.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If it cannot be read, or holds objects instead of numbers.
    """
    try:
        array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except FileNotFoundError as error:
        raise MissingDataError(f"There is no file {path}: take it from a whole copy.") from error
    # NumPy parses the header as Python's literals: a damaged one may end in almost any error.
    except Exception as error:
        raise DataError(f"{path} is no readable .npy file: make it anew.") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise DataError(f"{path} holds no array of numbers: make it anew.")
    return array


def archive_damage(path: str | os.PathLike[str]) -> str | None:
    """Say what is wrong with a ZIP archive, as torch's files are, or return ``None`` if it is whole.

    Torch itself reads changed bytes inside a tensor without a word; each member's checksum tells. A member
    without one, as torch writes on request, counts as whole.

    Args:
        path: The file.

    Raises:
        OSError: If the file cannot be read, which says nothing of what it holds.
    """
    with Path(path).open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _member_damage(archive)
        # A damaged directory of the archive may end in almost any error.
        except Exception as error:
            # To be asked for bytes before its beginning a file calls an invalid argument.
            if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
                raise
            return first_line(error)


def _member_damage(archive: zipfile.ZipFile) -> str | None:
    for member in archive.infolist():
        if member.is_dir() or member.external_attr & _FOLDER:
            return f"{member.filename} is marked as a folder"  # torch would return what lies in memory
        if member.CRC != 0:
            with archive.open(member) as content:
                while content.read(1 << 20):
                    pass
    return None


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    """Make a rename inside a folder outlast a power cut, where the file system and its permissions let us."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES):
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
