"""Keypoints that came with the list of frames and stay in memory."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vidreid.keypoints.layouts import Layout


class KeypointArray:
    """Keypoints of a frame list, 17 a frame; reads like a ``KeypointStore``.

    Attributes:
        layout: What the 17 joints are.
    """

    def __init__(self, keypoints: NDArray[np.floating], layout: Layout = "coco17") -> None:
        """Take the keypoints.

        Args:
            keypoints: ``(frames, 17, 3)``: x, y in pixels of the frame, confidence. A joint with a value that
                is not finite or without confidence is missing; confidences above 1 count as 1.
            layout: What the 17 joints are.

        Raises:
            ValueError: If the array has another shape.
        """
        if keypoints.ndim != 3 or keypoints.shape[1:] != (17, 3):
            raise ValueError(f"Keypoints must be (frames, 17, 3), not {keypoints.shape}.")
        cleaned = np.array(keypoints, dtype=np.float32)
        cleaned[~(np.isfinite(cleaned).all(axis=-1) & (cleaned[..., 2] > 0))] = 0.0
        np.minimum(cleaned[..., 2], 1.0, out=cleaned[..., 2])
        self.layout: Layout = layout
        self._array = cleaned

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, rows: slice | Sequence[int] | NDArray[np.integer]) -> NDArray[np.float32]:
        """Return ``(n, 17, 3)`` float32; a missing joint is all zero."""
        # A copy in either case, which augmentations may change.
        return self._array[np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows)]
