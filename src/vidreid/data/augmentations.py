"""Albumentations transforms made for clips: one draw for all frames, keypoints moved along, and quick.

The flip of albumentations itself takes half as long as decoding the frame (a reversed view is copied pixel by
pixel). These do the same work through OpenCV and slices and are albumentations transforms like any other, so
that others can stand beside them. To spare page faults, which cost more than the work, they
change the clip **in place**: it belongs to ``ClipTransform``.
"""

from collections.abc import Callable
from typing import Any

import albumentations
import cv2
import numpy as np
from numpy.typing import NDArray

MEAN_COLOUR = (124, 116, 104)
"""ImageNet's mean in RGB: what is filled with it is zero after normalisation."""

Images = NDArray[np.uint8]
Points = NDArray[np.floating]


class MirrorClip(albumentations.DualTransform):
    """Mirror all frames of a clip: ``x`` becomes ``W - x``. ``ClipTransform`` swaps left and right joints."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p=p)

    def apply(self, img: Images, **params: Any) -> Images:
        """Mirror one frame ``(H, W, 3)``."""
        return cv2.flip(img, 1)  # pyright: ignore[reportReturnType]

    def apply_to_images(self, images: Images, *args: Any, **params: Any) -> Images:
        """Mirror ``(T, H, W, 3)``."""
        # One call for the clip, taken as one tall picture: rows do not mix.
        tall = images.reshape(-1, *images.shape[2:])
        cv2.flip(tall, 1, dst=tall)
        return images

    def apply_to_keypoints(self, keypoints: Points, *args: Any, **params: Any) -> Points:
        """Mirror points ``(N, 2+)``."""
        mirrored = keypoints.copy()
        mirrored[:, 0] = params["shape"][1] - keypoints[:, 0]
        return mirrored


class PadCropClip(albumentations.DualTransform):
    """Shift all frames of a clip alike: pad by some pixels with the mean colour, then crop the old size."""

    def __init__(self, padding: int, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.padding = padding

    def get_params(self) -> dict[str, Any]:
        """Draw the shift: the content moves by ``(dx, dy)`` in ``-padding..padding``."""
        reach = 2 * self.padding + 1
        return {
            "dx": int(self.py_random.random() * reach) - self.padding,
            "dy": int(self.py_random.random() * reach) - self.padding,
        }

    def apply(self, img: Images, dx: int = 0, dy: int = 0, **params: Any) -> Images:
        """Shift one frame ``(H, W, 3)``."""
        return self.apply_to_images(img[None], dx=dx, dy=dy)[0]

    def apply_to_images(self, images: Images, *args: Any, dx: int = 0, dy: int = 0, **params: Any) -> Images:
        """Shift ``(T, H, W, 3)``."""
        height, width = images.shape[1:3]
        border = max(dy, 0), max(-dy, 0), max(dx, 0), max(-dx, 0)
        shifted = np.empty_like(images[0])
        for frame in images:
            kept = frame[max(-dy, 0) : height - max(dy, 0), max(-dx, 0) : width - max(dx, 0)]
            frame[...] = cv2.copyMakeBorder(
                kept, *border, cv2.BORDER_CONSTANT, dst=shifted, value=MEAN_COLOUR
            )
        return images

    def apply_to_keypoints(
        self, keypoints: Points, *args: Any, dx: int = 0, dy: int = 0, **params: Any
    ) -> Points:
        """Shift points ``(N, 2+)``; they may come to lie outside the frame."""
        shifted = keypoints.copy()
        shifted[:, 0] += dx
        shifted[:, 1] += dy
        return shifted


class EnlargeCropClip(albumentations.DualTransform):
    """Enlarge all frames of a clip and cut the old size out at a random place (the released MGH)."""

    def __init__(self, factor: float = 1.125, p: float = 0.5) -> None:
        """Set the size.

        Args:
            factor: Height and width before the cut over those after it, at least 1.
            p: Probability.

        Raises:
            ValueError: If the frames would become smaller.
        """
        if factor < 1:
            raise ValueError(f"factor is {factor}: it must be 1 or more to enlarge the frames.")
        super().__init__(p=p)
        self.factor = factor

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Draw the upper left corner ``(top, left)`` of the cut in the enlarged frames."""
        height, width = params["shape"][:2]
        large = round(height * self.factor), round(width * self.factor)
        top = int(self.py_random.random() * (large[0] - height + 1))
        return {"large": large, "top": top, "left": int(self.py_random.random() * (large[1] - width + 1))}

    def apply(self, img: Images, **params: Any) -> Images:
        """Enlarge and cut one frame ``(H, W, 3)``."""
        return self.apply_to_images(img[None], **params)[0]

    def apply_to_images(self, images: Images, *args: Any, **params: Any) -> Images:
        """Enlarge and cut ``(T, H, W, 3)``."""
        (tall, wide), top, left = params["large"], params["top"], params["left"]
        height, width = images.shape[1:3]
        enlarged = np.empty((tall, wide, 3), dtype=np.uint8)
        for frame in images:
            cv2.resize(frame, (wide, tall), dst=enlarged, interpolation=cv2.INTER_LINEAR)
            frame[...] = enlarged[top : top + height, left : left + width]
        return images

    def apply_to_keypoints(self, keypoints: Points, *args: Any, **params: Any) -> Points:
        """Move points ``(N, 2+)`` along; they may come to lie outside the frame."""
        (tall, wide), (height, width) = params["large"], params["shape"][:2]
        moved = keypoints.copy()
        moved[:, 0] = keypoints[:, 0] * (wide / width) - params["left"]
        moved[:, 1] = keypoints[:, 1] * (tall / height) - params["top"]
        return moved


class EraseClip(albumentations.DualTransform):
    """Fill a random rectangle with the mean colour (random erasing, Zhong et al., AAAI 2020).

    Keypoints stay: a covered joint is still where it is. The target ``erased``, ``(T,)`` bool, learns which
    frames have a rectangle.
    """

    def __init__(
        self,
        p: float = 0.5,
        area: tuple[float, float] = (0.02, 0.4),
        aspect: tuple[float, float] = (0.3, 3.3),
        per_frame: bool = False,
    ) -> None:
        """Set the ranges.

        Args:
            p: Probability, of the clip or of each frame.
            area: Share of the frame.
            aspect: Height over width.
            per_frame: Draw a rectangle, and whether there is one, for each frame; otherwise one for the clip.
        """
        super().__init__(p=1.0 if per_frame else p)
        self.chance, self.area, self.aspect, self.per_frame = p, area, aspect, per_frame

    @property
    def targets(self) -> dict[str, Callable[..., Any]]:
        """Return what it changes, by name: those of all transforms and ``erased``."""
        return {**super().targets, "erased": self.apply_to_erased}

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Draw one box ``(top, left, height, width)``, or one for each frame; ``None`` is no box."""
        height, width = params["shape"][:2]
        if not self.per_frame:
            return {"boxes": [self._box(height, width)]}
        frames = len(data["images"]) if "images" in data else 1
        return {
            "boxes": [
                self._box(height, width) if self.py_random.random() < self.chance else None
                for _ in range(frames)
            ]
        }

    def apply(self, img: Images, **params: Any) -> Images:
        """Erase in one frame ``(H, W, 3)``."""
        return self.apply_to_images(img[None], **params)[0]

    def apply_to_images(self, images: Images, *args: Any, **params: Any) -> Images:
        """Erase in ``(T, H, W, 3)``."""
        boxes = params["boxes"]
        # With pixels laid out in bytes a row of the box is one copy; filling pixel by pixel takes far longer.
        rows = images.reshape(*images.shape[:2], -1)
        for part, box in zip([rows] if len(boxes) == 1 else rows, boxes, strict=True):
            if box is not None:
                top, left, height, width = box
                part[..., top : top + height, 3 * left : 3 * (left + width)] = MEAN_COLOUR * width
        return images

    def apply_to_keypoints(self, keypoints: Points, *args: Any, **params: Any) -> Points:
        """Leave points where they are."""
        return keypoints

    def apply_to_erased(self, erased: NDArray[np.bool_], *args: Any, **params: Any) -> NDArray[np.bool_]:
        """Return which frames ``(T,)`` have a rectangle now."""
        return erased | np.array([box is not None for box in params["boxes"]])

    def _box(self, height: int, width: int) -> tuple[int, int, int, int] | None:
        # As in the original: draw until the rectangle fits.
        for _ in range(100):
            area = self.py_random.uniform(*self.area) * height * width
            aspect = self.py_random.uniform(*self.aspect)
            h, w = round((area * aspect) ** 0.5), round((area / aspect) ** 0.5)
            if 0 < h < height and 0 < w < width:
                top = int(self.py_random.random() * (height - h + 1))
                return top, int(self.py_random.random() * (width - w + 1)), h, w
        return None
