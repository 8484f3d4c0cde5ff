"""Where a crop lies in the input of a top-down pose network, and the way back."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class Placement(NamedTuple):
    """A crop is one person who fills it: the box is the whole picture, padded to the input's proportions.

    As RTMPose and other networks of MMPose are trained: the box is padded around its middle, its short side
    is lengthened until the proportions fit, and pixels are addressed by their numbers, the middle of a
    picture ``w`` wide being ``x = w / 2``. Coordinates are thus those of COCO's annotations, with pixel
    centres at integers.

    Attributes:
        scale: Pixels of the input for one of the crop.
        crop: Width and height of the crop.
        size: Width and height of the input.
    """

    scale: float
    crop: tuple[int, int]
    size: tuple[int, int]

    @classmethod
    def of(cls, crop: tuple[int, int], size: tuple[int, int], padding: float) -> "Placement":
        """Place a crop.

        Args:
            crop: Its width and height.
            size: Width and height of the input.
            padding: How much larger than the crop the box is.
        """
        return cls(min(size[0] / (crop[0] * padding), size[1] / (crop[1] * padding)), crop, size)

    def warp(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the input ``(H, W, 3)`` of a crop ``(h, w, 3)``; what lies outside the crop is black."""
        (width, height), scale = self.crop, self.scale
        matrix = np.array(
            [
                [scale, 0, (self.size[0] - scale * width) / 2],
                [0, scale, (self.size[1] - scale * height) / 2],
            ]
        )
        return cv2.warpAffine(image, matrix, self.size, flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)

    def back(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return points ``(..., 2)`` of the input in pixels of the crop."""
        return (np.asarray(points, np.float64) - np.array(self.size) / 2) / self.scale + np.array(
            self.crop
        ) / 2
