"""The partial folder of a keypoint store that is being filled: chunks that are whole or absent."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidreid.errors import DataError
from vidreid.files import read_array, read_json, write_json, write_whole

Keypoints = NDArray[np.float16]


class PoseChunks:
    """Chunks of consecutive frames on the way to a store.

    A chunk is ``(n, 17, 3)`` float16; a frame that could not be read is NaN in it.
    """

    def __init__(self, folder: Path, frames: int, chunk: int) -> None:
        """Take the folder; nothing is looked up on disk.

        Args:
            folder: The partial folder.
            frames: Frames of the whole store.
            chunk: Frames of a chunk; the last one may have fewer.
        """
        self.folder = Path(folder)
        self._frames, self._chunk = frames, chunk

    def start(self, settings: Mapping[str, Any]) -> None:
        """Make the folder, or find one that was filled with the same settings.

        Args:
            settings: All that the keypoints depend on, as JSON holds it.

        Raises:
            DataError: If it was filled with other settings.
        """
        file = self.folder / "settings.json"
        if file.is_file():
            differing = _differing(_read_settings(file), settings)
            if differing:
                raise DataError(
                    f"{self.folder} was begun with other settings ({differing}): go on with those, or set "
                    "restart=true to begin anew."
                )
            return
        # Chunks without the settings that they were made with are of no use.
        self.remove()
        write_json(file, settings)

    def rows(self) -> Iterator[tuple[Path, range]]:
        """Yield file and frames of each chunk."""
        for start in range(0, self._frames, self._chunk):
            rows = range(start, min(start + self._chunk, self._frames))
            yield self.folder / f"{start:09d}.npy", rows

    def read(self, file: Path, frames: int) -> Keypoints | None:
        """Return a chunk, or ``None`` if it is not there or not what it should be."""
        try:
            chunk = read_array(file)
        except DataError:
            return None
        if chunk.shape != (frames, 17, 3) or chunk.dtype != np.float16:
            return None
        return chunk.astype(np.float16, copy=False)

    def write(self, file: Path, keypoints: Keypoints) -> None:
        """Write a chunk, whole or not at all."""
        with write_whole(file) as temporary, temporary.open("wb") as opened:
            np.save(opened, keypoints)

    def remove(self) -> None:
        """Remove the folder with all that a kill may have left in it."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)


def _read_settings(file: Path) -> dict[str, Any]:
    try:
        settings = read_json(file)
    except DataError:
        settings = None
    if not isinstance(settings, dict):
        raise DataError(f"{file} is damaged: set restart=true to begin anew.")
    return settings


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    keys = [key for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)]
    return ", ".join(f"{key} was {old.get(key)} and is {new.get(key)}" for key in keys)
