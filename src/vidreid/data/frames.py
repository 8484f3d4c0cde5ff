"""From the rows of a frame list to pixels."""

from os import PathLike
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeIs

from vidreid.errors import DataError


class FrameError(DataError, OSError):
    """A frame that is missing, cannot be decoded or is cut off."""


class FrameSource(Protocol):
    """What holds the frames of a split: a ``FrameList`` or one of its kinds."""

    def __len__(self) -> int:
        """Return the number of frames."""
        ...

    def file(self, row: int) -> str:
        """Return the path of a frame, as it is named in messages."""
        ...

    def encoded(self, row: int) -> bytes:
        """Return the bytes of a frame's image file.

        Raises:
            FrameError: If they cannot be read.
        """
        ...


class BoxSource(FrameSource, Protocol):
    """Frames that are parts of larger images."""

    def cropped(self, image: NDArray[np.uint8], row: int) -> NDArray[np.uint8]:
        """Return the part that is a frame."""
        ...


def read_frame(frames: FrameSource, row: int) -> NDArray[np.uint8]:
    """Read a frame: the one way from a frame list to pixels.

    Args:
        frames: Files in folders, or one packed file.
        row: Of the frame list.

    Returns:
        ``(H, W, 3)`` uint8, RGB.

    Raises:
        FrameError: If the frame is missing, no image, cut off, or a box outside of its image; the message
            names it.
    """
    return decode_frame(frames, row, frames.encoded(row))


def decode_frame(frames: FrameSource, row: int, data: bytes) -> NDArray[np.uint8]:
    """Decode a frame whose bytes are at hand; see ``read_frame``.

    Args:
        frames: Files in folders, or one packed file.
        row: Of the frame list.
        data: ``frames.encoded(row)``.
    """
    image = decode_image(data, frames.file(row))
    return frames.cropped(image, row) if are_boxes(frames) else image


def are_boxes(frames: FrameSource) -> TypeIs[BoxSource]:
    """Tell whether frames are parts of larger images, of which several may lie in one."""
    return hasattr(frames, "cropped")


def read_image(path: str | PathLike[str]) -> NDArray[np.uint8]:
    """Decode an image.

    Args:
        path: A JPEG or PNG file (or what else OpenCV decodes).

    Returns:
        ``(H, W, 3)`` uint8, RGB.

    Raises:
        FrameError: If the file is missing, no image, or cut off; the message names it.
    """
    return decode_image(read_encoded(path), path)


def read_encoded(path: str | PathLike[str]) -> bytes:
    """Return the bytes of an image file.

    Raises:
        FrameError: If the file cannot be read.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path would cost more than the opening
            return file.read()
    except OSError as error:
        raise FrameError(
            f"Frame {path} cannot be read ({error.strerror}): is the data set complete?"
        ) from error


def decode_image(data: bytes, path: str | PathLike[str]) -> NDArray[np.uint8]:
    """Decode the bytes of an image file.

    Args:
        data: JPEG or PNG (or what else OpenCV decodes).
        path: Where they are from, for messages.

    Returns:
        ``(H, W, 3)`` uint8, RGB.

    Raises:
        FrameError: If they are no image, or cut off; the message names it.
    """
    check_whole(data, path)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise _no_image(path)
    return image.astype(np.uint8, copy=False)


def check_whole(data: bytes, path: str | PathLike[str]) -> None:
    """Refuse the bytes of an image file that are empty or cut off; nothing is decoded.

    Raises:
        FrameError: With the name of the file.
    """
    if not data:
        raise _no_image(path)
    if _cut_off(data):
        # The decoder would fill the missing part with grey and say nothing.
        raise FrameError(
            f"Frame {path} is cut off after {len(data)} bytes: copy it again from a whole archive."
        )


def _no_image(path: str | PathLike[str]) -> FrameError:
    return FrameError(f"Frame {path} is not a readable image: copy it again from a whole archive.")


def _cut_off(data: bytes) -> bool:
    """Tell whether the end marker of a JPEG or PNG file is missing."""
    if data.startswith(b"\xff\xd8"):
        # Inside coded data 0xFF is always followed by 0x00 or a restart marker, so an end marker behind the
        # last start of a scan is the real one, even if something was appended to the file.
        return not data.endswith(b"\xff\xd9") and data.rfind(b"\xff\xd9") < max(data.rfind(b"\xff\xda"), 1)
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data[-64:]
    return False
