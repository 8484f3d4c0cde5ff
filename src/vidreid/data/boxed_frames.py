"""Frames that are boxes of larger images."""

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from vidreid.data.frames import FrameError
from vidreid.data.tracklets import FrameList


class BoxedFrames(FrameList):
    """A frame list in which each frame is a box of its image; a name may come more than once.

    Attributes:
        edges: ``(frames, 4)`` int32: left, top, right and bottom in pixels of the image, the last two
            exclusive. What reaches over the image's border is cut off.
    """

    def __init__(self, folder: Path, names: NDArray[np.bytes_], edges: NDArray[np.integer]) -> None:
        """Take names and boxes as they are.

        Args:
            folder: What the names are relative to.
            names: ``(frames,)`` paths of the images.
            edges: ``(frames, 4)``: left, top, right and bottom.
        """
        super().__init__(folder, names, prefix=0)
        self.edges = np.ascontiguousarray(edges, dtype=np.int32)

    def cropped(self, image: NDArray[np.uint8], row: int) -> NDArray[np.uint8]:
        """Return the box of a frame in its image ``(H, W, 3)``.

        Raises:
            FrameError: If it lies outside.
        """
        height, width = image.shape[:2]
        left, top, right, bottom = self.edges[row].tolist()
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
        if left >= right or top >= bottom:
            raise FrameError(
                f"The box {self.edges[row].tolist()} (left, top, right, bottom) lies outside of frame "
                f"{self.file(row)}, which is {width} x {height} pixels: correct the box."
            )
        # A copy, so that the large image can go.
        return image[top:bottom, left:right].copy()

    @property
    def origins(self) -> NDArray[np.int32]:
        """Where the crops begin in their images: ``(frames, 2)`` x and y."""
        return np.maximum(self.edges[:, :2], 0)

    @override
    def names_crc(self) -> int:
        """Return the checksum of names and boxes."""
        return zlib.crc32(self.edges.astype("<i4").tobytes(), super().names_crc())

    @property
    @override
    def nbytes(self) -> int:
        """Bytes that names and boxes take in memory."""
        return super().nbytes + self.edges.nbytes
