"""Where body parts are, as weights of patches, in one colour a part over the frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.visualize.block_sheet import SheetBlock, block_sheet, of_height
from vidreid.visualize.palette import PARTS, Frame

_STRONGEST = 0.85  # of the colour, so that the person stays to be seen


@dataclass(frozen=True)
class PartBlock:
    """A tracklet as it appears in a sheet of part maps.

    Attributes:
        frames: ``T`` frames ``(H, W, 3)`` uint8 RGB, all of one size.
        maps: ``(T, P, h, w)``, weights of the patches, not negative.
        captions: Lines of text below.
    """

    frames: Sequence[Frame]
    maps: NDArray[np.floating]
    captions: Sequence[str] = ()


def part_sheet(
    blocks: Sequence[PartBlock], parts: Sequence[str], frame_height: int = 256, blocks_a_band: int = 2
) -> Frame:
    """Draw frames and below them the same in grey, coloured where the parts are.

    Args:
        blocks: The tracklets, side by side, and in further bands if there are many.
        parts: Names of the ``P`` parts.
        frame_height: Pixels of a frame; its width follows.
        blocks_a_band: Tracklets side by side.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: If there is nothing to draw, or blocks and names do not fit.
    """
    if not blocks or any(len(block.frames) == 0 for block in blocks):
        raise ValueError("There is no frame to draw.")
    if any(block.maps.shape[:2] != (len(block.frames), len(parts)) for block in blocks):
        raise ValueError("Every frame needs a map of every part.")
    drawn = []
    for block in blocks:
        frames = of_height(block.frames, frame_height)
        # The strongest patch that a part has in the tracklet.
        limits = np.maximum(block.maps.max(axis=(0, 2, 3)), 1e-12)
        coloured = [
            parts_over(frame, maps / limits[:, None, None], parts)
            for frame, maps in zip(frames, block.maps, strict=True)
        ]
        drawn.append(SheetBlock([frames, coloured], block.captions))
    legend = [item for part in parts for item in (PARTS[part], f"{part}  ")]
    legend.append("full colour: the strongest patch of the part in the tracklet")
    return block_sheet(drawn, ("frame", "parts"), legend, blocks_a_band)


def parts_over(frame: Frame, maps: NDArray[np.floating], parts: Sequence[str]) -> Frame:
    """Colour a grey copy of a frame where the parts are; where parts overlap colours mix by their weights.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB.
        maps: ``(P, h, w)`` in [0, 1], weights of patches.
        parts: Names of the parts.

    Returns:
        ``(H, W, 3)`` uint8 RGB.
    """
    size = (frame.shape[1], frame.shape[0])
    strength = np.clip(np.asarray(maps, np.float32), 0, 1)
    # Patches as they are: what the network is told has no finer shape.
    large = np.stack([cv2.resize(one, size, interpolation=cv2.INTER_NEAREST) for one in strength])
    total = large.sum(axis=0)
    colours = np.array([PARTS[part] for part in parts], np.float32)
    mixed = np.einsum("phw,pc->hwc", large, colours) / np.maximum(total, 1e-6)[..., None]
    opacity = (_STRONGEST * large.max(axis=0))[..., None]
    grey = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    return np.rint(opacity * mixed + (1 - opacity) * grey).astype(np.uint8)
