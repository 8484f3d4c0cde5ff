"""Pictures as files."""

from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image

from vidreid.files import write_whole
from vidreid.visualize.palette import Frame


def save_png(picture: Frame, path: str | PathLike[str]) -> Path:
    """Write a picture as PNG, whole or not at all.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB.
        path: The file; its folder is made if needed.

    Returns:
        ``path``.

    Raises:
        ValueError: If it is no such picture.
    """
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"A picture must be (H, W, 3) uint8, not {picture.shape} {picture.dtype}.")
    with write_whole(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", optimize=True)
    return Path(path)
