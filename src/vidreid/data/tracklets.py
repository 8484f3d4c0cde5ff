"""The tracklet table (one row a tracklet) and the columnar list of frames that its rows point into.

A table may have a column ``outfit``. Its numbers tell the outfits of one identity apart and mean nothing
between identities. In a table without it everybody wears one outfit, 0.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.frames import read_encoded
from vidreid.data.mars_format import names_crc


class FrameList:
    """File names of all frames of a split, kept as one array of bytes: MARS's 1.19 M names take 23 MB.

    Nothing is looked up on disk: whether a file is there shows when it is read.
    """

    def __init__(self, folder: Path, names: NDArray[np.bytes_], prefix: int = 4) -> None:
        """Take the names as they are.

        Args:
            folder: The folder of the split, such as ``<root>/bbox_train``.
            names: ``(frames,)`` byte strings in the order that tracklets refer to.
            prefix: The first ``prefix`` characters of a name are its subfolder (MARS: 4); 0 means that the
                names are paths relative to ``folder``.
        """
        self.folder = Path(folder)
        self._folder = str(folder)
        self.names = names
        self.prefix = prefix

    def __len__(self) -> int:
        return len(self.names)

    def path(self, row: int) -> Path:
        """Return the path of one frame."""
        return Path(self.file(row))

    def file(self, row: int) -> str:
        """Return the path of one frame as text: for the loader a ``Path`` takes as long as a flip."""
        return f"{self._folder}/{self.relative(row)}"

    def relative(self, row: int) -> str:
        """Return the path of one frame below ``folder``."""
        # As the file system gives names: what is no UTF-8 comes back as the same bytes.
        name = os.fsdecode(self.names[row])
        return f"{name[: self.prefix]}/{name}" if self.prefix else name

    def encoded(self, row: int) -> bytes:
        """Return the bytes of one frame's image file.

        Raises:
            FrameError: If it cannot be read.
        """
        return read_encoded(self.file(row))

    def paths(self, start: int, stop: int) -> list[Path]:
        """Return the paths of the frames ``start:stop``."""
        return [self.path(row) for row in range(start, stop)]

    def names_crc(self) -> int:
        """Return the checksum that ties keypoints to these frames."""
        return names_crc(self.names)

    @property
    def nbytes(self) -> int:
        """Bytes that the names take in memory."""
        return self.names.nbytes


def tracklet_table(
    pids: NDArray[np.integer],
    cameras: NDArray[np.integer],
    starts: NDArray[np.integer],
    stops: NDArray[np.integer],
    is_query: NDArray[np.bool_] | None = None,
    outfits: NDArray[np.integer] | None = None,
) -> pd.DataFrame:
    """Build a tracklet table.

    Args:
        pids: ``(n,)`` identities.
        cameras: ``(n,)`` cameras.
        starts: ``(n,)`` first frame, a row of the frame list.
        stops: ``(n,)`` one past the last frame.
        is_query: ``(n,)``, for test tables.
        outfits: ``(n,)``, for sets in which people change clothes.

    Returns:
        Columns ``tracklet`` (0..n-1), ``pid``, ``camera``, ``start``, ``stop``, all int64, and where given
        ``is_query`` and ``outfit``.
    """
    columns: dict[str, NDArray[np.generic]] = {
        "tracklet": np.arange(len(pids), dtype=np.int64),
        "pid": np.asarray(pids, dtype=np.int64),
        "camera": np.asarray(cameras, dtype=np.int64),
        "start": np.asarray(starts, dtype=np.int64),
        "stop": np.asarray(stops, dtype=np.int64),
    }
    if is_query is not None:
        columns["is_query"] = np.asarray(is_query, dtype=bool)
    if outfits is not None:
        columns["outfit"] = np.asarray(outfits, dtype=np.int64)
    return pd.DataFrame(columns)


def column(table: pd.DataFrame, name: str) -> NDArray[np.int64]:
    """Return an integer column as an array of its own; zeros for ``outfit`` where the table has none."""
    if name == "outfit" and name not in table:
        return np.zeros(len(table), dtype=np.int64)
    return table[name].to_numpy(dtype=np.int64, copy=True)


def training_labels(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return a label 0..C-1 for each row, in ascending order of the identities."""
    return np.unique(column(table, "pid"), return_inverse=True)[1].astype(np.int64)
