"""Keypoints and limbs drawn over frames."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.keypoints.skeleton import Skeleton
from vidreid.visualize.palette import LEFT_SIDE, MIDDLE, PAPER, RIGHT_SIDE, Colour, Frame

_SHIFT = 4  # cv2 takes coordinates in sixteenths of a pixel


def draw_skeleton(
    frame: Frame, keypoints: NDArray[np.floating], skeleton: Skeleton, scale: float = 3.0, low: float = 0.3
) -> Frame:
    """Draw a person's joints and limbs on an enlarged copy of a frame.

    The person's left side is orange, the right side blue, what joins the two white. Joints and limbs fade
    with their confidence, down to a trace at ``low``; missing joints (confidence 0) are not drawn.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB.
        keypoints: ``(K, 3)``: x, y in pixels of the frame and confidence.
        skeleton: The layout of the ``K`` joints.
        scale: Enlargement.
        low: Confidence from which on a joint is only a trace.

    Returns:
        ``(scale H, scale W, 3)`` uint8.

    Raises:
        ValueError: If the number of joints is not the skeleton's.
    """
    if keypoints.shape != (len(skeleton), 3):
        raise ValueError(f"Keypoints are {keypoints.shape}, but the skeleton has {len(skeleton)} joints.")
    height, width = frame.shape[:2]
    size = (round(width * scale), round(height * scale))
    enlarged = cv2.resize(np.ascontiguousarray(frame), size, interpolation=cv2.INTER_CUBIC)
    picture: Frame = enlarged.astype(np.uint8, copy=False)
    points = keypoints[:, :2] * [size[0] / width, size[1] / height]
    points = [(round(float(x) * 2**_SHIFT), round(float(y) * 2**_SHIFT)) for x, y in points]
    confidence = keypoints[:, 2]
    thickness = max(1, round(size[1] / 110))
    for first, second in skeleton.edges:
        strength = min(confidence[first], confidence[second])
        if strength > 0:
            layer = picture.copy()
            colour = _side(skeleton.names[first], skeleton.names[second])
            cv2.line(layer, points[first], points[second], colour, thickness, cv2.LINE_AA, _SHIFT)
            picture = _blend(picture, layer, _opacity(float(strength), low))
    for joint, name in enumerate(skeleton.names):
        if confidence[joint] > 0:
            layer = picture.copy()
            radius = round((thickness + 1.5) * 2**_SHIFT)
            cv2.circle(layer, points[joint], radius, PAPER, -1, cv2.LINE_AA, _SHIFT)
            radius = round((thickness + 0.25) * 2**_SHIFT)
            cv2.circle(layer, points[joint], radius, _side(name, name), -1, cv2.LINE_AA, _SHIFT)
            picture = _blend(picture, layer, _opacity(float(confidence[joint]), low))
    return picture


def skeleton_sheet(
    rows: Sequence[tuple[Sequence[Frame], NDArray[np.floating]]],
    skeleton: Skeleton,
    frame_height: int = 256,
    gap: int = 6,
) -> Frame:
    """Draw a contact sheet: one tracklet a row, its frames with skeletons side by side.

    Args:
        rows: Frames of each tracklet and their keypoints ``(T, K, 3)``.
        skeleton: The layout of the joints.
        frame_height: Pixels of a frame in the sheet; widths follow.
        gap: White pixels between frames.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: If there is nothing to draw.
    """
    if not rows or any(len(frames) == 0 for frames, _ in rows):
        raise ValueError("There is no frame to draw.")
    strips = []
    for frames, keypoints in rows:
        drawn = [
            draw_skeleton(frame, joints, skeleton, frame_height / frame.shape[0])
            for frame, joints in zip(frames, keypoints, strict=True)
        ]
        space = np.full((frame_height, gap, 3), PAPER, np.uint8)
        strips.append(np.concatenate([part for picture in drawn for part in (space, picture)][1:], axis=1))
    width = max(strip.shape[1] for strip in strips)
    sheet = np.full((len(strips) * (frame_height + gap) + gap, width + 2 * gap, 3), PAPER, np.uint8)
    for number, strip in enumerate(strips):
        top = gap + number * (frame_height + gap)
        sheet[top : top + frame_height, gap : gap + strip.shape[1]] = strip
    return sheet


def _side(first: str, second: str) -> Colour:
    if first.startswith("left") and second.startswith("left"):
        return LEFT_SIDE
    if first.startswith("right") and second.startswith("right"):
        return RIGHT_SIDE
    return MIDDLE


def _opacity(confidence: float, low: float) -> float:
    return float(np.clip(0.15 + 0.85 * (confidence - low) / (1 - low), 0.15, 1.0))


def _blend(below: Frame, above: Frame, opacity: float) -> Frame:
    return cv2.addWeighted(above, opacity, below, 1 - opacity, 0).astype(np.uint8, copy=False)
