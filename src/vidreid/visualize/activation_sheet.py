"""The sheet of activations: frames, and below them the maps of one or more networks."""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from vidreid.visualize.activations import (
    ActivationBlock,
    ColourScale,
    colour_bar,
    colour_limits,
    heat_over,
)
from vidreid.visualize.palette import INK, MUTED, Frame, canvas, font, shorten

_MARGIN = 16
_GAP = 14
_SEPARATOR = 2
_TEXT = 12
_LINE_HEIGHT = 17
_BAR = (10, 160)


def activation_sheet(
    blocks: Sequence[ActivationBlock],
    networks: Sequence[str],
    scale: ColourScale = "each",
    frame_height: int = 192,
    blocks_a_band: int = 4,
) -> Frame:
    """Draw frames and, below them, the maps of each network over the dimmed frames.

    Args:
        blocks: The tracklets, side by side, and in further bands if there are many.
        networks: Names of the networks, in the order of the blocks' activations.
        scale: See ``colour_limits``.
        frame_height: Pixels of a frame; its width follows.
        blocks_a_band: Tracklets side by side.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: If there is nothing to draw, or blocks and names do not fit.
    """
    if not blocks or any(len(block.frames) == 0 for block in blocks):
        raise ValueError("There is no frame to draw.")
    for block in blocks:
        if len(block.activations) != len(networks):
            raise ValueError(f"{len(networks)} names, but maps of {len(block.activations)} networks.")
        if any(len(maps) != len(block.frames) for maps in block.activations):
            raise ValueError("Every frame needs a map of every network.")
    limits = colour_limits([block.activations for block in blocks], scale)
    drawn = [_draw_block(block, limits, frame_height) for block in blocks]
    lines = max(len(block.captions) for block in blocks)
    labels = max(font(_TEXT, "bold").getlength(name) for name in ("frame", *networks))
    left_column = _MARGIN + round(labels) + _GAP

    bands = [range(i, min(i + blocks_a_band, len(blocks))) for i in range(0, len(blocks), blocks_a_band)]
    block_height = drawn[0].shape[0]
    band_height = block_height + lines * _LINE_HEIGHT + 4
    whose = "each network by itself" if scale == "each" else "all networks together"
    legend = f"strong from the 99th percentile of {whose} on"
    width = max(sum(drawn[i].shape[1] + _GAP for i in band) for band in bands) - _GAP + left_column + _MARGIN
    width = max(width, left_column + _BAR[1] + 80 + round(font(_TEXT).getlength(legend)))
    height = 2 * _MARGIN + len(bands) * (band_height + _GAP) + _LINE_HEIGHT
    image, pen = canvas(height, width)
    for number, band in enumerate(bands):
        top = _MARGIN + number * (band_height + _GAP)
        for row, name in enumerate(("frame", *networks)):
            at = (_MARGIN, top + row * (frame_height + _SEPARATOR) + frame_height // 2 - _TEXT // 2)
            pen.text(at, name, font=font(_TEXT, "bold"), fill=INK)
        left = left_column
        for i in band:
            image.paste(Image.fromarray(drawn[i]), (left, top))
            for line, text in enumerate(blocks[i].captions):
                at = (left, top + block_height + 4 + line * _LINE_HEIGHT)
                text = shorten(text, drawn[i].shape[1] + _GAP, _TEXT)
                pen.text(at, text, font=font(_TEXT), fill=INK if line == 0 else MUTED)
            left += drawn[i].shape[1] + _GAP
    _draw_legend(image, pen, left_column, height - _MARGIN - _LINE_HEIGHT, legend)
    return np.asarray(image)


def _draw_block(block: ActivationBlock, limits: Sequence[float], frame_height: int) -> Frame:
    height, width = block.frames[0].shape[:2]
    size = (round(width * frame_height / height), frame_height)
    frames = [
        cv2.resize(np.ascontiguousarray(frame), size, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        for frame in block.frames
    ]
    rows = [frames] + [
        [heat_over(frame, one, limit) for frame, one in zip(frames, maps, strict=True)]
        for maps, limit in zip(block.activations, limits, strict=True)
    ]
    across = np.full((frame_height, _SEPARATOR, 3), 255, np.uint8)
    strips = [np.concatenate([x for frame in row for x in (across, frame)][1:], axis=1) for row in rows]
    down = np.full((_SEPARATOR, strips[0].shape[1], 3), 255, np.uint8)
    return np.concatenate([x for strip in strips for x in (down, strip)][1:])


def _draw_legend(image: Image.Image, pen: ImageDraw.ImageDraw, left: int, top: int, text: str) -> None:
    x = left
    pen.text((x, top), "weak", font=font(_TEXT), fill=MUTED)
    x += round(font(_TEXT).getlength("weak")) + 6
    image.paste(Image.fromarray(colour_bar(*_BAR)), (x, top + 3))
    x += _BAR[1] + 6
    pen.text((x, top), text, font=font(_TEXT), fill=MUTED)
