"""Variables of MATLAB files."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from vidreid.errors import DataError


def read_matrix(path: Path, variable: str, what: str) -> NDArray[np.generic]:
    """Read one variable.

    Args:
        path: The file.
        variable: Its name.
        what: What a file with it is, for the message.

    Raises:
        DataError: If the file is unreadable or holds something else.
    """
    try:
        contents = loadmat(path)
    except Exception as error:
        raise DataError(
            f"{path} is not a readable MATLAB file ({error}): replace it by a whole copy."
        ) from error
    if variable not in contents:
        found = ", ".join(name for name in contents if not name.startswith("__")) or "nothing"
        raise DataError(f"{path} holds {found} but not the variable {variable}: this is not {what}.")
    return np.asarray(contents[variable])


def read_whole_numbers(path: Path, variable: str, what: str) -> NDArray[np.int64]:
    """Read one variable of whole numbers, whatever type they are stored in.

    MATLAB may have written them as small unsigned or as floating numbers: they come back wide enough to
    subtract from.

    Args:
        path: The file.
        variable: Its name.
        what: What a file with it is, for the message.

    Raises:
        DataError: If the file is unreadable or holds something else.
    """
    matrix = read_matrix(path, variable, what)
    if matrix.dtype.kind not in "uif" or not matrix.size:
        raise DataError(
            f"{path}: {variable} has shape {matrix.shape} and type {matrix.dtype} instead of whole numbers: "
            f"this is not {what}."
        )
    # Compared as floats: a NaN, an infinity or 2**63 would turn into some integer or other.
    values = matrix.astype(np.float64)
    wrong = ~((np.abs(values) < 2**53) & (values == np.floor(values)))
    if wrong.any():
        raise DataError(
            f"{path}: {variable} holds {values[wrong][0]} where a whole number must stand: the file is "
            f"damaged, or not {what}."
        )
    return matrix.astype(np.int64)
