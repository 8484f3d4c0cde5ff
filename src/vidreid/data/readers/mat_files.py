"""Variables of MATLAB files."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from vidreid.data.readers.mat_level5 import DamagedFileError, read_level5
from vidreid.errors import DataError


def read_matrix(path: Path, variable: str | Sequence[str], what: str) -> NDArray[np.generic]:
    """Read one variable of a file up to MATLAB 7.2.

    Args:
        path: The file.
        variable: Its name, or several, of which the first that is there is taken.
        what: What a file with it is, for the message.

    Raises:
        DataError: If the file is unreadable or holds something else.
    """
    try:
        contents = read_level5(path.read_bytes())
    except (OSError, DamagedFileError) as error:
        raise DataError(
            f"{path} is not a readable MATLAB file ({error}): replace it by a whole copy."
        ) from error
    names = [variable] if isinstance(variable, str) else variable
    chosen = next((name for name in names if name in contents), None)
    if chosen is None:
        raise _lacking(path, list(contents), " or ".join(names), what)
    matrix = contents[chosen]
    if matrix is None:
        raise DataError(f"{path}: {chosen} is no matrix of numbers: this is not {what}.")
    return matrix


def read_whole_numbers(path: Path, variable: str | Sequence[str], what: str) -> NDArray[np.int64]:
    """Read one variable of whole numbers, whatever type they are stored in.

    MATLAB may have written them as small unsigned or as floating numbers: they come back wide enough to
    subtract from.

    Args:
        path: The file.
        variable: Its name, or several, of which the first that is there is taken.
        what: What a file with it is, for the message.

    Raises:
        DataError: If the file is unreadable or holds something else.
    """
    matrix = read_matrix(path, variable, what)
    name = variable if isinstance(variable, str) else " or ".join(variable)
    if not matrix.size:
        raise DataError(f"{path}: {name} has shape {matrix.shape}, no number: this is not {what}.")
    # Compared as floats: a NaN, an infinity or 2**63 would turn into some integer or other.
    values = matrix.astype(np.float64)
    wrong = ~((np.abs(values) < 2**53) & (values == np.floor(values)))
    if wrong.any():
        raise DataError(
            f"{path}: {name} holds {values[wrong][0]} where a whole number must stand: the file is "
            f"damaged, or not {what}."
        )
    return matrix.astype(np.int64)


def read_hdf5_matrix(path: Path, variable: str, what: str) -> NDArray[np.generic]:
    """Read one variable of a file of MATLAB 7.3, which is HDF5, or of an older one.

    HDF5 holds a matrix of MATLAB with rows and columns exchanged. It is returned as it lies there, and that
    of an older file in the same way.

    Args:
        path: The file.
        variable: Its name.
        what: What a file with it is, for the message.

    Raises:
        DataError: If the file is unreadable or holds something else.
    """
    matrix = None
    try:
        if not h5py.is_hdf5(path):
            return read_matrix(path, variable, what).T
        with h5py.File(path, "r") as file:
            found = sorted(map(str, file))  # names that are no text come as bytes
            entry = file.get(variable)
            if isinstance(entry, h5py.Dataset):
                matrix = np.asarray(entry[()])
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path} is not a readable MATLAB file ({error}): replace it by a whole copy."
        ) from error
    if matrix is None:
        raise _lacking(path, found, variable, what)
    return matrix


def _lacking(path: Path, found: Sequence[str], variable: str, what: str) -> DataError:
    return DataError(
        f"{path} holds {', '.join(found) or 'nothing'} but not the variable {variable}: this is not {what}."
    )
