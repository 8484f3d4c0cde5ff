"""The pictures of a video file or of a folder of frames, by their numbers.

Frames of a file are decoded one after the other from the first on and counted, never looked up by their
number: looking up goes by time, and where the frame rate varies it lands on another frame.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.data.frames import read_image
from vidreid.data.readers.numbered_frames import numbered_frames
from vidreid.errors import DataError, MissingDataError

_NUMBERED = re.compile(r"(?:.*\D)?(?P<frame>\d{1,9})", re.ASCII)
_UNEVEN = 0.5
"""Of the usual time between two frames: containers round times to milliseconds, which is no varying rate."""

Picture = NDArray[np.uint8]
"""``(H, W, 3)``, blue, green, red: as OpenCV decodes and encodes."""


class Pictures(Protocol):
    """What frames are read from.

    Attributes:
        path: Of the file or folder.
        size: Height and width of the pictures.
        notices: Sentences for the user.
        free_to_start: Whether reading may start at any frame at no cost.
    """

    path: Path
    size: tuple[int, int]
    notices: list[str]
    free_to_start: bool

    def missing(self, frames: NDArray[np.int64]) -> str | None:
        """Say which of some frames are not there, or return ``None``.

        Args:
            frames: Numbers from 1, ascending.
        """
        ...

    def read(self, frames: Sequence[int]) -> Iterator[Picture]:
        """Yield frames.

        Args:
            frames: Numbers from 1, ascending.

        Raises:
            DataError: If one cannot be decoded or has another size.
        """
        ...


def open_pictures(path: Path) -> Pictures:
    """Open a video file or a folder of frames.

    Raises:
        MissingDataError: If there is neither.
        DataError: If nothing can be decoded.
    """
    if path.is_dir():
        return FrameFolder(path)
    if path.is_file():
        return VideoFile(path)
    raise MissingDataError(f"There is no video file or folder of frames {path}: check the path.")


class FrameFolder:
    """A folder of numbered pictures such as MOT's ``img1/000001.jpg``.

    The last number in a name is the frame's; where the first is 0, all are one less than the frame's.
    """

    free_to_start = True

    def __init__(self, path: Path) -> None:
        """List the folder and decode its first picture."""
        self.path = path
        self.notices: list[str] = []
        names = numbered_frames(path, _NUMBERED, "000001.jpg")
        numbers = [int(match["frame"]) for name in names if (match := _NUMBERED.fullmatch(Path(name).stem))]
        first = int(numbers[0] == 0)
        self._names = {number + first: name for number, name in zip(numbers, names, strict=True)}
        height, width = read_image(path / names[0]).shape[:2]
        self.size = (height, width)

    def missing(self, frames: NDArray[np.int64]) -> str | None:
        """See ``Pictures``."""
        gone = [frame for frame in frames.tolist() if frame not in self._names]
        if not gone:
            return None
        return (
            f"{self.path} has {_some(len(self._names), 'frame')} ({min(self._names)} to {max(self._names)}), "
            f"but the tracks have boxes in {_some(len(gone), 'other')}, the first {gone[0]}"
        )

    def read(self, frames: Sequence[int]) -> Iterator[Picture]:
        """See ``Pictures``."""
        for frame in frames:
            picture = read_image(self.path / self._names[frame])[:, :, ::-1]
            _check_size(self, frame, picture)
            yield picture


class VideoFile:
    """A video file that OpenCV decodes."""

    free_to_start = False

    def __init__(self, path: Path) -> None:
        """Count the frames and decode the first."""
        self.path = path
        times = _frame_times(path)
        video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        there, picture = video.read()
        if not there:
            raise DataError(f"{path} cannot be read as a video: copy it again, or convert it to MP4.")
        self.size = (picture.shape[0], picture.shape[1])
        self._count = len(times)
        self.notices = [sentence] if (sentence := _uneven(path, times)) else []

    def missing(self, frames: NDArray[np.int64]) -> str | None:
        """See ``Pictures``; a file may still end before what it announces."""
        beyond = frames[frames > self._count]
        if not len(beyond):
            return None
        return (
            f"{self.path} has {_some(self._count, 'frame')}, but the tracks have boxes in "
            f"{_some(len(beyond), 'frame')} after it, {beyond[0]} to {beyond[-1]}"
        )

    def read(self, frames: Sequence[int]) -> Iterator[Picture]:
        """See ``Pictures``."""
        video = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        now = 0
        for frame in frames:
            while now < frame and video.grab():
                now += 1
            there, picture = video.retrieve() if now == frame else (False, None)
            if not there or picture is None:
                raise DataError(
                    f"{self.path} cannot be decoded beyond frame {now} of {self._count}, and the tracks have "
                    f"boxes in frame {frame}: the video is damaged or cut off; copy it again."
                )
            picture = picture.astype(np.uint8, copy=False)
            _check_size(self, frame, picture)
            yield picture


def _frame_times(path: Path) -> NDArray[np.float64]:
    """Return the times at which frames are shown, in ms, ascending; nothing is decoded if that can be."""
    for options in ([cv2.CAP_PROP_FORMAT, -1], []):
        video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, options)
        times = [video.get(cv2.CAP_PROP_POS_MSEC) for _ in iter(video.grab, False)]
        if times:
            return np.sort(np.array(times, dtype=np.float64))
    return np.zeros(0)


def _uneven(path: Path, times: NDArray[np.float64]) -> str | None:
    between = np.diff(times)
    if not len(between):
        return None
    usual = float(np.median(between))
    uneven = np.flatnonzero(np.abs(between - usual) > _UNEVEN * usual)
    if not len(uneven):
        return None
    first = int(uneven[0])
    return (
        f"{path} has a varying frame rate ({_some(len(uneven), 'place')}; first, frames {first + 1} and "
        f"{first + 2} are {between[first]:.0f} ms apart, most {usual:.0f}): frames are counted as they are "
        "decoded, which fits tracks that were made so, but not those made from frames at a constant rate."
    )


def _check_size(pictures: Pictures, frame: int, picture: Picture) -> None:
    if picture.shape[:2] != pictures.size:
        height, width = picture.shape[:2]
        raise DataError(
            f"Frame {frame} of {pictures.path} is {width}x{height} pixels and the first is "
            f"{pictures.size[1]}x{pictures.size[0]}: boxes cannot fit both."
        )


def _some(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
