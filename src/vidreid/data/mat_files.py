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
