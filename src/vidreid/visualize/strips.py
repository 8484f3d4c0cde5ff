"""Ranked strips: a query's frames and the tracklets that a system found nearest, right and wrong marked."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vidreid.visualize.palette import (
    INK,
    LINE,
    MUTED,
    PAPER,
    QUERY,
    RIGHT,
    WRONG,
    Colour,
    Frame,
    canvas,
    font,
    shorten,
)

_BORDER = 4
_SEPARATOR = 2
_GAP = 12
_MARGIN = 16
_HEADER = 18
_TEXT = 11
_LINE_HEIGHT = 15


@dataclass(frozen=True)
class Strip:
    """A tracklet as it appears in a ranked list.

    Attributes:
        frames: Some of its frames, each ``(H, W, 3)`` uint8 RGB of any size.
        captions: Lines of text below, such as camera and identity.
    """

    frames: Sequence[Frame]
    captions: Sequence[str] = ()


@dataclass(frozen=True)
class RankedRow:
    """A query and what was found for it.

    Attributes:
        query: The query.
        found: Nearest first.
        right: For each found strip whether it shows the query's identity.
        notes: Lines of text on the left of the query, the first one bold: whose list it is.
        same_query: The row goes on with the query of the row above: no line parts the two.
    """

    query: Strip
    found: Sequence[Strip]
    right: Sequence[bool]
    notes: Sequence[str] = ()
    same_query: bool = False


def ranked_strips(rows: Sequence[RankedRow], frame_height: int = 128, frame_width: int = 64) -> Frame:
    """Draw ranked lists, one row a query.

    The query has a dashed blue frame, right answers a green and wrong ones a red frame; the rank and a mark
    above each say the same without colour.

    Args:
        rows: The lists, of any lengths.
        frame_height: Pixels of a frame.
        frame_width: Pixels of a frame.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: If there is no row, a strip has no frame, or marks and strips differ in number.
    """
    if not rows:
        raise ValueError("There is no query to draw.")
    for row in rows:
        if len(row.found) != len(row.right):
            raise ValueError(f"{len(row.found)} found strips, but {len(row.right)} marks.")
        if any(len(strip.frames) == 0 for strip in (row.query, *row.found)):
            raise ValueError("A strip needs at least one frame.")

    def width_of(strip: Strip) -> int:
        return _frames_width(len(strip.frames), frame_width) + 2 * _BORDER

    ranks = max(len(row.found) for row in rows)
    query_width = max(width_of(row.query) for row in rows)
    columns = [max(width_of(row.found[k]) for row in rows if k < len(row.found)) for k in range(ranks)]
    lines = max(len(strip.captions) for row in rows for strip in (row.query, *row.found))
    row_height = _HEADER + frame_height + 2 * _BORDER + lines * _LINE_HEIGHT + 6
    left_column = _MARGIN + _notes_width(rows)
    width = left_column + _MARGIN + query_width + 2 * _GAP + sum(columns) + _GAP * max(0, ranks - 1)
    height = 2 * _MARGIN + len(rows) * row_height + (len(rows) - 1) * _GAP
    image, pen = canvas(height, width)
    for number, row in enumerate(rows):
        top = _MARGIN + number * (row_height + _GAP)
        if number and not row.same_query:
            pen.line([(_MARGIN, top - _GAP // 2 - 2), (width - _MARGIN, top - _GAP // 2 - 2)], fill=LINE)
        for line, text in enumerate(row.notes):
            at = (_MARGIN, top + _HEADER + _BORDER + line * (_LINE_HEIGHT + 3))
            pen.text(at, text, font=_note_font(line), fill=INK if line == 0 else MUTED)
        size = (frame_height, frame_width)
        _draw(image, pen, row.query, left_column, top, size, QUERY, "query", dashed=True)
        left = left_column + query_width + 2 * _GAP
        for rank, (strip, right) in enumerate(zip(row.found, row.right, strict=True), start=1):
            colour, mark = (RIGHT, "✓") if right else (WRONG, "✗")
            _draw(image, pen, strip, left, top, size, colour, f"{rank} {mark}")
            left += columns[rank - 1] + _GAP
    return np.asarray(image)


def tracklet_strips(
    strips: Sequence[Strip], columns: int = 3, frame_height: int = 128, frame_width: int = 64
) -> Frame:
    """Draw tracklets in a grid, without a ranking.

    Args:
        strips: The tracklets, row by row.
        columns: Strips a row.
        frame_height: Pixels of a frame.
        frame_width: Pixels of a frame.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: If there is no strip, or one without a frame.
    """
    if not strips or any(len(strip.frames) == 0 for strip in strips):
        raise ValueError("There is no tracklet to draw, or one without a frame.")
    columns = min(columns, len(strips))
    width = max(_frames_width(len(strip.frames), frame_width) for strip in strips) + 2 * _BORDER
    height = frame_height + 2 * _BORDER + max(len(strip.captions) for strip in strips) * _LINE_HEIGHT + 6
    rows = -(-len(strips) // columns)
    image, pen = canvas(
        2 * _MARGIN + rows * height + (rows - 1) * _GAP, 2 * _MARGIN + columns * width + (columns - 1) * _GAP
    )
    for number, strip in enumerate(strips):
        left = _MARGIN + number % columns * (width + _GAP)
        top = _MARGIN + number // columns * (height + _GAP) - _HEADER
        _draw(image, pen, strip, left, top, (frame_height, frame_width), LINE, "")
    return np.asarray(image)


def _draw(
    image: Image.Image,
    pen: ImageDraw.ImageDraw,
    strip: Strip,
    left: int,
    top: int,
    size: tuple[int, int],
    colour: Colour,
    title: str,
    dashed: bool = False,
) -> None:
    height, width = size
    total = _frames_width(len(strip.frames), width)
    pen.text((left + _BORDER, top), title, font=font(_TEXT + 1, "bold"), fill=colour)
    upper = top + _HEADER
    box = (left, upper, left + total + 2 * _BORDER - 1, upper + height + 2 * _BORDER - 1)
    pen.rounded_rectangle(box, radius=_BORDER, fill=colour)
    if dashed:
        _cut_dashes(pen, box)
    inner = (left + _BORDER, upper + _BORDER, left + _BORDER + total - 1, upper + _BORDER + height - 1)
    pen.rectangle(inner, fill=PAPER)
    for number, frame in enumerate(strip.frames):
        resized = cv2.resize(np.ascontiguousarray(frame), (width, height), interpolation=cv2.INTER_AREA)
        image.paste(
            Image.fromarray(resized), (left + _BORDER + number * (width + _SEPARATOR), upper + _BORDER)
        )
    for line, text in enumerate(strip.captions):
        at = (left + _BORDER, upper + height + 2 * _BORDER + 3 + line * _LINE_HEIGHT)
        fill = INK if line == 0 else MUTED
        pen.text(at, shorten(text, total + _GAP, _TEXT), font=font(_TEXT), fill=fill)


def _notes_width(rows: Sequence[RankedRow]) -> int:
    widths = [_note_font(line).getlength(text) for row in rows for line, text in enumerate(row.notes)]
    return round(max(widths)) + 2 * _GAP if widths else 0


def _note_font(line: int) -> ImageFont.FreeTypeFont:
    return font(_TEXT + 1, "bold" if line == 0 else "regular")


def _frames_width(count: int, width: int) -> int:
    return count * (width + _SEPARATOR) - _SEPARATOR


def _cut_dashes(
    pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], dash: int = 10, gap: int = 4
) -> None:
    left, top, right, bottom = box
    for x in range(left + dash, right, dash + gap):
        pen.rectangle((x, top, min(x + gap - 1, right), bottom), fill=PAPER)
    for y in range(top + dash, bottom, dash + gap):
        pen.rectangle((left, y, right, min(y + gap - 1, bottom)), fill=PAPER)
