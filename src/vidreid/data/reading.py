"""Reading the frames and keypoints of one clip, with what to do about frames that cannot be read."""

import warnings
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vidreid.data.frames import FrameError, read_frame
from vidreid.data.keypoint_sources import KeypointSource
from vidreid.data.tracklets import FrameList
from vidreid.keypoints.layouts import select_joints

OnBadFrame = Literal["error", "skip_frame"]


def check_on_bad_frame(on_bad_frame: str) -> None:
    """Refuse what is neither ``error`` nor ``skip_frame``.

    Raises:
        ValueError: With the choices.
    """
    if on_bad_frame not in get_args(OnBadFrame):
        raise ValueError(f"data.on_bad_frame={on_bad_frame!r} is unknown: choose one of error, skip_frame.")


class BadFrameWarning(UserWarning):
    """A frame was replaced because it could not be read."""


class ClipReader:
    """Reads frames by their rows in a frame list, and the keypoints that lie in the same rows.

    Attributes:
        bad_frames: Paths of the frames that this process could not read and replaced.
    """

    def __init__(
        self,
        frames: FrameList,
        keypoints: KeypointSource | None = None,
        joints: str = "body12",
        on_bad_frame: OnBadFrame = "error",
    ) -> None:
        """Set up the reader.

        Args:
            frames: The frame list.
            keypoints: Keypoints of the same frames, or ``None``.
            joints: Skeleton to take from the stored 17 joints: ``body12``, ``coco17`` or ``posetrack15``.
            on_bad_frame: ``error``, or ``skip_frame``: the next readable frame of the clip stands in, and
                that is said once for each frame.

        Raises:
            ValueError: For another ``on_bad_frame``.
        """
        check_on_bad_frame(on_bad_frame)
        self.frames, self.keypoints, self.joints, self.on_bad_frame = frames, keypoints, joints, on_bad_frame
        self.bad_frames: set[Path] = set()

    def read(self, rows: NDArray[np.int64]) -> tuple[list[NDArray[np.uint8]], NDArray[np.float32] | None]:
        """Read a clip.

        Args:
            rows: ``(T,)`` rows of the frame list; a row that comes twice is decoded once.

        Returns:
            ``T`` images ``(h, w, 3)`` and keypoints ``(T, K, 3)`` in pixels of them, or ``None``.

        Raises:
            FrameError: If a frame cannot be read, or under ``skip_frame`` if none of the clip can.
        """
        images: dict[int, NDArray[np.uint8]] = {}
        bad: set[int] = set()
        for row in dict.fromkeys(rows.tolist()):
            try:
                images[row] = read_frame(self.frames, row)
            except FrameError as error:
                if self.on_bad_frame == "error":
                    raise
                bad.add(row)
                self._tell(self.frames.path(row), error)
        if bad:
            rows = self._replaced(rows, bad)
        keypoints = None
        if self.keypoints is not None:
            # The frame that stands in brings its own keypoints.
            stored = self.keypoints[rows]
            keypoints = select_joints(stored, self.joints, self.keypoints.layout)
            keypoints = keypoints.astype(np.float32, copy=False)
        return [images[row] for row in rows.tolist()], keypoints

    def _replaced(self, rows: NDArray[np.int64], bad: set[int]) -> NDArray[np.int64]:
        good = [place for place, row in enumerate(rows.tolist()) if row not in bad]
        if not good:
            raise FrameError(
                f"No frame of a clip could be read, from {self.frames.path(int(rows[0]))} to "
                f"{self.frames.path(int(rows[-1]))}: unpack this person's folder anew."
            )
        # The next readable one, or at the end of the clip the last.
        places = [next((p for p in good if p >= place), good[-1]) for place in range(len(rows))]
        return rows[places]

    def _tell(self, path: Path, error: FrameError) -> None:
        if path not in self.bad_frames:
            self.bad_frames.add(path)
            warnings.warn(f"{error} Another frame of the clip stands in.", BadFrameWarning, stacklevel=4)
