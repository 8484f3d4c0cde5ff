"""The layout of sheets: tracklets as blocks side by side, rows of pictures with names on the left."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from vidreid.visualize.palette import INK, MUTED, Colour, Frame, canvas, font, shorten

SEPARATOR = 2
_MARGIN = 16
_GAP = 14
_TEXT = 12
_LINE_HEIGHT = 17

LegendItem = str | Frame | Colour
"""Text, a picture such as a bar of colours, or the colour of a square."""


@dataclass(frozen=True)
class SheetBlock:
    """A tracklet as it appears in a sheet.

    Attributes:
        rows: Rows of pictures ``(H, W, 3)`` uint8 RGB, all of one size, and as many in every row.
        captions: Lines of text below.
    """

    rows: Sequence[Sequence[Frame]]
    captions: Sequence[str] = ()


def block_sheet(
    blocks: Sequence[SheetBlock],
    names: Sequence[str],
    legend: Sequence[LegendItem],
    blocks_a_band: int = 4,
) -> Frame:
    """Draw blocks side by side, in further bands if there are many, and a legend below.

    Args:
        blocks: The tracklets; their pictures are drawn as large as they are.
        names: Names of the rows, on the left; an empty one takes no room.
        legend: Drawn from left to right.
        blocks_a_band: Tracklets side by side.

    Returns:
        ``(H, W, 3)`` uint8 RGB.
    """
    drawn = [_joined(block.rows) for block in blocks]
    row_height = blocks[0].rows[0][0].shape[0] + SEPARATOR
    captions = [
        [part for text in block.captions for part in _broken(text, picture.shape[1])]
        for block, picture in zip(blocks, drawn, strict=True)
    ]
    labels = round(max(font(_TEXT, "bold").getlength(name) for name in names))
    left_column = _MARGIN + (labels + _GAP if labels else 0)
    bands = [range(i, min(i + blocks_a_band, len(blocks))) for i in range(0, len(blocks), blocks_a_band)]
    block_height = max(picture.shape[0] for picture in drawn)
    band_height = block_height + max(map(len, captions)) * _LINE_HEIGHT + 4
    width = max(sum(drawn[i].shape[1] + _GAP for i in band) for band in bands) - _GAP + left_column + _MARGIN
    width = max(width, left_column + _legend_width(legend) + _MARGIN)
    height = 2 * _MARGIN + len(bands) * (band_height + _GAP) + _LINE_HEIGHT
    image, pen = canvas(height, width)
    for number, band in enumerate(bands):
        top = _MARGIN + number * (band_height + _GAP)
        for row, name in enumerate(names):
            at = (_MARGIN, top + row * row_height + (row_height - SEPARATOR) // 2 - _TEXT // 2)
            pen.text(at, name, font=font(_TEXT, "bold"), fill=INK)
        left = left_column
        for i in band:
            image.paste(Image.fromarray(drawn[i]), (left, top))
            for line, text in enumerate(captions[i]):
                at = (left, top + block_height + 4 + line * _LINE_HEIGHT)
                text = shorten(text, drawn[i].shape[1] + _GAP, _TEXT)
                pen.text(at, text, font=font(_TEXT), fill=INK if line == 0 else MUTED)
            left += drawn[i].shape[1] + _GAP
    _draw_legend(image, pen, left_column, height - _MARGIN - _LINE_HEIGHT, legend)
    return np.asarray(image)


def of_height(frames: Sequence[Frame], height: int) -> list[Frame]:
    """Return frames enlarged or reduced to a height; their width follows."""
    width = round(frames[0].shape[1] * height / frames[0].shape[0])
    return [
        cv2.resize(np.ascontiguousarray(frame), (width, height), interpolation=cv2.INTER_CUBIC).astype(
            np.uint8
        )
        for frame in frames
    ]


def _joined(rows: Sequence[Sequence[Frame]]) -> Frame:
    across = np.full((rows[0][0].shape[0], SEPARATOR, 3), 255, np.uint8)
    strips = [np.concatenate([x for frame in row for x in (across, frame)][1:], axis=1) for row in rows]
    down = np.full((SEPARATOR, strips[0].shape[1], 3), 255, np.uint8)
    return np.concatenate([x for strip in strips for x in (down, strip)][1:])


def _broken(text: str, width: int) -> list[str]:
    """Break a text between words so that its lines fit into ``width`` pixels."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font(_TEXT).getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _legend_width(legend: Sequence[LegendItem]) -> int:
    return sum(_item_width(item) + 6 for item in legend)


def _item_width(item: LegendItem) -> int:
    if isinstance(item, str):
        return round(font(_TEXT).getlength(item))
    return item.shape[1] if isinstance(item, np.ndarray) else _TEXT


def _draw_legend(
    image: Image.Image, pen: ImageDraw.ImageDraw, left: int, top: int, legend: Sequence[LegendItem]
) -> None:
    for item in legend:
        if isinstance(item, str):
            pen.text((left, top), item, font=font(_TEXT), fill=MUTED)
        elif isinstance(item, np.ndarray):
            image.paste(Image.fromarray(item), (left, top + 3))
        else:
            pen.rectangle((left, top + 1, left + _TEXT - 1, top + _TEXT), fill=item)
        left += _item_width(item) + 6
