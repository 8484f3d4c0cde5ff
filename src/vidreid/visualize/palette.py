"""The colours and the lettering of all pictures."""

from functools import cache
from pathlib import Path
from typing import Literal

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Frame = NDArray[np.uint8]

PAPER: Colour = (255, 255, 255)
INK: Colour = (33, 37, 43)
MUTED: Colour = (112, 119, 130)
LINE: Colour = (222, 226, 231)
RIGHT: Colour = (31, 157, 85)
WRONG: Colour = (214, 64, 69)
QUERY: Colour = (52, 101, 201)
LEFT_SIDE: Colour = (255, 159, 28)
RIGHT_SIDE: Colour = (42, 183, 202)
MIDDLE: Colour = (240, 240, 240)
PARTS: dict[str, Colour] = {
    "head": (224, 86, 253),
    "torso": (66, 190, 84),
    "left_arm": (255, 176, 31),
    "right_arm": (42, 194, 222),
    "left_leg": (229, 60, 56),
    "right_leg": (58, 98, 240),
}
"""Of the body parts of all skeletons; as with joints the left side is warm and the right one cold."""

Weight = Literal["regular", "bold"]


@cache
def font(size: int, weight: Weight = "regular") -> ImageFont.FreeTypeFont:
    """Return the font that matplotlib ships, so that pictures look alike on every machine.

    Args:
        size: Height in pixels.
        weight: ``regular`` or ``bold``.
    """
    name = {"regular": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}[weight]
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)


def canvas(height: int, width: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return a blank picture and its pen."""
    image = Image.new("RGB", (width, height), PAPER)
    return image, ImageDraw.Draw(image)


def shorten(text: str, width: int, size: int) -> str:
    """Cut a text so that it fits into ``width`` pixels."""
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
