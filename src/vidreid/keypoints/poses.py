"""A person's keypoints in an image as a pose tool gives them, before one of several people is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Pose:
    """One person in one image.

    Attributes:
        keypoints: ``(K, 3)`` float64: x, y in pixels of the image and confidence in [0, 1]; a missing joint
            is all zero.
        box: x, y, width and height in pixels of the image, where the tool tells.
        score: How sure the tool is of the person as a whole; scales differ between tools.
        is_target: Whether this is the person whom a crop is about, where the tool tells.
        track: Number of the person within a video, where the tool tells.
    """

    keypoints: NDArray[np.float64]
    box: tuple[float, float, float, float] | None = None
    score: float | None = None
    is_target: bool | None = None
    track: int | None = None


class PoseSource(Protocol):
    """Poses that a tool has written to files, by image.

    Attributes:
        skeleton: Name of the joints' layout.
    """

    skeleton: str

    def poses(self, image: str, size: tuple[int, int]) -> list[Pose]:
        """Return everybody whom the tool found in an image.

        Args:
            image: Path of the image below the folder of its split, such as ``0001/0001C1T0001F001.jpg``.
            size: Height and width of the image in pixels.

        Raises:
            DataError: If what is written about it is damaged, or nothing is.
        """
        ...


class PoseEstimator(Protocol):
    """A network that finds people's joints.

    Attributes:
        skeleton: Name of the joints' layout.
    """

    skeleton: str

    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Pose]]:
        """Return everybody who is found in each image, surest first.

        Args:
            images: ``(H, W, 3)`` uint8 RGB, of any sizes.
        """
        ...
