"""The frames of a split in one memory-mapped file: what lies on disk, and the frame list that reads it."""

import json
import mmap
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidreid.data.frames import FrameError
from vidreid.data.tracklets import FrameList
from vidreid.errors import DataError, MissingDataError

FORMAT = 1
"""Of the three files; another number is refused."""

INDEX_ROW = np.dtype([("stop", "<i8"), ("crc32", "<u4")])
"""A frame in the index: one past its last byte (its first is where the row before stops), and its CRC-32."""


@dataclass(frozen=True)
class PackFiles:
    """Where the pack of a split lies.

    Attributes:
        data: The image files as they are, one after the other, in the order of the frame list.
        index: ``(frames,)`` of ``INDEX_ROW``, a ``.npy`` file.
        description: JSON: what frames these are, and ``whole`` once both other files are.
    """

    data: Path
    index: Path
    description: Path

    @classmethod
    def of(cls, folder: str | os.PathLike[str], split: str) -> "PackFiles":
        """Name the files of a split."""
        folder = Path(folder)
        return cls(folder / f"{split}.bin", folder / f"{split}.index.npy", folder / f"{split}.json")

    def unusable(self, why: str) -> DataError:
        """Return an error that says what is wrong and what to do."""
        return DataError(f"{why}: delete the folder {self.data.parent} and pack anew.")


def describe_frames(frames: FrameList) -> dict[str, Any]:
    """Return what a description says about the frame list that a pack belongs to."""
    return {"format": FORMAT, "frames": len(frames), "names_crc32": frames.names_crc()}


def read_description(files: PackFiles, frames: FrameList) -> dict[str, Any] | None:
    """Read the description of a pack and check that it belongs to the frame list.

    Returns:
        The description, or ``None`` if there is none.

    Raises:
        DataError: If it is damaged, or tells of another form or other frames.
    """
    try:
        told = json.loads(files.description.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataError(f"{files.description} cannot be read ({error.strerror}): may you read it?") from error
    except (ValueError, RecursionError) as error:
        raise files.unusable(f"{files.description} is damaged") from error
    if not isinstance(told, dict):
        raise files.unusable(f"{files.description} is damaged")
    for key, here in describe_frames(frames).items():
        if told.get(key) != here:
            raise files.unusable(
                f"{files.description} belongs to other frames or another version ({key} {told.get(key)} "
                f"there, {here} here)"
            )
    return told


class PackedFrames(FrameList):
    """A frame list whose images come from one file instead of a file each.

    Names and paths are those of the folders, which need not be there. Every frame's checksum is compared when
    it is read, which takes 1 µs where decoding takes 100. Do not cut the file while it is open: the system
    ends a process that reads a mapped page which is no longer there.

    Attributes:
        files: Where the pack lies.
        absent: Number of frames that could not be read when the pack was made.
    """

    def __init__(self, frames: FrameList, folder: str | os.PathLike[str], split: str) -> None:
        """Open a whole pack.

        Args:
            frames: The frame list that was packed.
            folder: Where the pack lies.
            split: Its name there, such as ``bbox_train``.

        Raises:
            MissingDataError: If there is none, or it is not finished.
            DataError: If it belongs to other frames, or is damaged or cut off.
        """
        super().__init__(frames.folder, frames.names, frames.prefix)
        self._split = split
        self.files = files = PackFiles.of(folder, split)
        told = read_description(files, frames)
        if told is None or told.get("whole") is not True:
            raise MissingDataError(f"There is no finished pack {files.data}: run python src/pack.py.")
        try:
            index = _checked_index(files, told, len(frames))
            with files.data.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                total = int(index["stop"][-1]) if len(index) else 0
                if not size == told.get("bytes") == total:
                    raise files.unusable(f"{files.data} has {size:,} bytes instead of {told.get('bytes')}")
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except OSError as error:
            raise files.unusable(f"The pack {files.data} cannot be read ({error})") from error
        self._stops, self._checksums = index["stop"], index["crc32"]
        self.absent = int((np.diff(self._stops, prepend=0) == 0).sum())

    def encoded(self, row: int) -> bytes:
        """Return the bytes of one frame's image file.

        Raises:
            FrameError: If they have changed on disk, or the frame was absent when the pack was made.
        """
        start, stop = int(self._stops[row - 1]) if row else 0, int(self._stops[row])
        if start == stop:
            raise FrameError(
                f"Frame {self.file(row)} is not in {self.files.data}, because it could not be read when that "
                f"was packed: mend it, delete the folder {self.files.data.parent} and pack anew."
            )
        data = self._data[start:stop]
        if zlib.crc32(data) != self._checksums[row]:
            raise FrameError(
                f"Frame {self.file(row)} is damaged in {self.files.data}: delete the folder "
                f"{self.files.data.parent} and pack anew."
            )
        return data

    def __reduce__(self) -> tuple[type["PackedFrames"], tuple[FrameList, Path, str]]:
        # A map cannot be pickled: loader processes open the file again.
        frames = FrameList(self.folder, self.names, self.prefix)
        return PackedFrames, (frames, self.files.data.parent, self._split)


def _checked_index(files: PackFiles, told: dict[str, Any], frames: int) -> NDArray[np.void]:
    if zlib.crc32(files.index.read_bytes()) != told.get("index_crc32"):
        raise files.unusable(f"{files.index} is damaged")
    try:
        # A plain view: indexing a memmap object takes longer than the checksum of a frame.
        index = np.asarray(np.load(files.index, mmap_mode="r"))
    except (ValueError, EOFError) as error:
        raise files.unusable(f"{files.index} is damaged") from error
    if index.dtype != INDEX_ROW or index.shape != (frames,):
        raise files.unusable(f"{files.index} has the form {index.dtype} {index.shape}")
    return index
