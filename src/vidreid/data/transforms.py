"""From decoded frames and keypoints to a clip of the network's size, augmented as a whole."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import albumentations
import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.data.augmentations import EnlargeCropClip, EraseClip, MirrorClip, PadCropClip
from vidreid.keypoints.skeleton import SKELETONS

# Origin and two unit steps: after the augmentation they tell whether the picture was mirrored.
_AXES = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
_UNUSED = np.random.default_rng(0)

# Images (T, H, W, 3), keypoints (T, K, 3) and erased (T,) on their way through the augmentations.
_Augmented = tuple[NDArray[np.uint8], NDArray[np.float32] | None, NDArray[np.bool_]]


def training_augmentations(
    flip: float = 0.5,
    erase: float = 0.5,
    crop: int = 0,
    jitter: float = 0.0,
    erase_per_frame: bool = False,
    enlarge: float = 0.0,
) -> list[albumentations.BasicTransform]:
    """Return the usual augmentations of training.

    Args:
        flip: Probability of mirroring a clip.
        erase: Probability of erasing a rectangle.
        crop: Pixels of padding before a random crop of the old size; 0 leaves it out.
        jitter: Strength of the change of brightness, contrast and saturation; 0 leaves it out.
        erase_per_frame: Draw the rectangle for each frame instead of for the clip.
        enlarge: Probability of enlarging the frames before a random crop of the old size; 0 leaves it out.
    """
    chosen: list[albumentations.BasicTransform] = []
    if jitter > 0:
        chosen.append(
            albumentations.ColorJitter(
                brightness=(1 - jitter, 1 + jitter),
                contrast=(1 - jitter, 1 + jitter),
                saturation=(1 - jitter, 1 + jitter),
                hue=(0.0, 0.0),
                p=1.0,
            )
        )
    if enlarge > 0:
        chosen.append(EnlargeCropClip(p=enlarge))
    if crop > 0:
        chosen.append(PadCropClip(crop))
    if flip > 0:
        chosen.append(MirrorClip(p=flip))
    if erase > 0:
        chosen.append(EraseClip(p=erase, per_frame=erase_per_frame))
    return chosen


class TransformedClip(NamedTuple):
    """What ``ClipTransform`` makes of a clip.

    Attributes:
        images: ``(T, 3, H, W)`` uint8.
        keypoints: ``(T, K, 3)`` in pixels of the images, or ``None``.
        erased: ``(T,)`` bool, frames in which ``EraseClip`` erased a rectangle.
    """

    images: NDArray[np.uint8]
    keypoints: NDArray[np.float32] | None
    erased: NDArray[np.bool_]


class ClipTransform:
    """Resize the frames of a clip, then augment them alike, and move the keypoints with the pixels.

    Any albumentations transform that keeps the size can be among the augmentations. Left and right joints are
    swapped whenever the picture has been mirrored, whatever did it.
    """

    def __init__(
        self,
        height: int,
        width: int,
        augmentations: Sequence[albumentations.BasicTransform] = (),
        joints: str = "body12",
        independent_frames: bool = False,
        keypoints_follow: bool = True,
    ) -> None:
        """Set up the transform.

        Args:
            height: ``H`` of the network.
            width: ``W`` of the network.
            augmentations: Applied in order; none for evaluation.
            joints: Name of the skeleton whose left and right are swapped.
            independent_frames: Draw anew for each frame, as the released KMPNet does.
            keypoints_follow: ``False`` leaves keypoints where they were before the augmentation, though they
                are still resized with the frame: a defect of the released KMPNet, only to reproduce it.

        Raises:
            ValueError: If there is no such skeleton.
        """
        if joints not in SKELETONS:
            raise ValueError(f"Unknown skeleton {joints!r}: choose one of {', '.join(SKELETONS)}.")
        self.height, self.width = height, width
        self.independent_frames, self.keypoints_follow = independent_frames, keypoints_follow
        self._mirror = np.array(SKELETONS[joints].mirror)
        self._augmentations = list(augmentations)
        # Those of this library draw from Python's generator only; a NumPy generator is slow to seed.
        ours = (MirrorClip, EnlargeCropClip, PadCropClip, EraseClip)
        self._needs_numpy = not all(isinstance(augmentation, ours) for augmentation in augmentations)

    def __call__(
        self, frames: Sequence[NDArray[np.uint8]], keypoints: NDArray[np.float32] | None, seed: int
    ) -> TransformedClip:
        """Transform a clip; the same arguments give the same bytes in any process.

        Args:
            frames: ``T`` images ``(h, w, 3)`` uint8 RGB, whose sizes may differ.
            keypoints: ``(T, K, 3)`` in pixels of the frames, or ``None``.
            seed: Everything random follows from it.

        Raises:
            ValueError: If an augmentation changes the size.
        """
        images = np.empty((len(frames), self.height, self.width, 3), dtype=np.uint8)
        if keypoints is not None:
            keypoints = keypoints.copy()
        for t, frame in enumerate(frames):
            h, w = frame.shape[:2]
            if (h, w) == (self.height, self.width):
                images[t] = frame
                continue
            # Averaging over the area when shrinking: a bilinear probe would skip pixels.
            shrinking = h >= self.height and w >= self.width
            how = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
            cv2.resize(frame, (self.width, self.height), dst=images[t], interpolation=how)
            if keypoints is not None:
                keypoints[t, :, 0] *= self.width / w
                keypoints[t, :, 1] *= self.height / h
        erased = np.zeros(len(frames), dtype=np.bool_)
        if self._augmentations:
            images, keypoints, erased = self._augment(images, keypoints, erased, seed)
        return TransformedClip(_channels_first(images), keypoints, erased)

    def _augment(
        self,
        images: NDArray[np.uint8],
        keypoints: NDArray[np.float32] | None,
        erased: NDArray[np.bool_],
        seed: int,
    ) -> _Augmented:
        # One stream for all: albumentations' own set_random_seed would give each transform the same stream,
        # so that mirroring and erasing always came together.
        python = random.Random(seed)
        numpy = np.random.default_rng(seed) if self._needs_numpy else _UNUSED
        for augmentation in self._augmentations:
            augmentation.set_random_state(numpy, python)
        if not self.independent_frames:
            return self._augment_together(images, keypoints, erased)
        frames = [
            self._augment_together(
                images[t : t + 1], None if keypoints is None else keypoints[t : t + 1], erased[t : t + 1]
            )
            for t in range(len(images))
        ]
        points = [moved for _, moved, _ in frames if moved is not None]
        return (
            np.concatenate([frame for frame, _, _ in frames]),
            np.concatenate(points) if points else None,
            np.concatenate([bit for _, _, bit in frames]),
        )

    def _augment_together(
        self, images: NDArray[np.uint8], keypoints: NDArray[np.float32] | None, erased: NDArray[np.bool_]
    ) -> _Augmented:
        # Points in the form that albumentations uses inside: x, y, z, angle, scale. Given to the transforms
        # directly, without Compose, they are neither checked nor dropped when they leave the frame.
        joints = 0 if keypoints is None else keypoints.shape[0] * keypoints.shape[1]
        points = np.zeros((len(_AXES) + joints, 5), dtype=np.float32)
        points[: len(_AXES), :2] = _AXES
        if keypoints is not None:
            points[len(_AXES) :, :2] = keypoints[..., :2].reshape(-1, 2)
        data: dict[str, Any] = {"images": images, "keypoints": points, "erased": erased}
        for augmentation in self._augmentations:
            data = augmentation(**data)
        augmented, moved, erased = data["images"], data["keypoints"], data["erased"]
        if augmented.shape != images.shape:
            raise ValueError(
                f"An augmentation changed the frames from {images.shape[1:3]} to {augmented.shape[1:3]}: use "
                "augmentations that keep the size."
            )
        if keypoints is None or not self.keypoints_follow:
            return augmented, keypoints, erased
        (ax, ay), (bx, by) = moved[1, :2] - moved[0, :2], moved[2, :2] - moved[0, :2]
        result = keypoints.copy()
        result[..., :2] = moved[len(_AXES) :, :2].reshape(*keypoints.shape[:2], 2)
        if ax * by - ay * bx < 0:
            result = result[:, self._mirror]
        return augmented, result, erased


def _channels_first(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return ``(T, 3, H, W)``; OpenCV's split is several times quicker than copying a transposed view."""
    frames, height, width, _ = images.shape
    planes = np.empty((frames, 3, height, width), dtype=np.uint8)
    for image, plane in zip(images, planes, strict=True):
        cv2.split(image, [plane[0], plane[1], plane[2]])
    return planes
