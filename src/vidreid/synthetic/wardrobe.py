"""Banks of colours and patterns; training and test have different ones."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

# Hue in degrees, saturation and value in [0, 1] of everyday clothes.
_CLOTHES = (
    (0, 0.0, 0.10), (0, 0.0, 0.93), (0, 0.0, 0.50), (0, 0.85, 0.80), (24, 0.90, 0.92), (52, 0.85, 0.95),
    (110, 0.70, 0.62), (150, 0.75, 0.35), (215, 0.80, 0.85), (228, 0.75, 0.34), (285, 0.55, 0.60),
    (22, 0.65, 0.38), (38, 0.35, 0.80), (335, 0.50, 0.93), (185, 0.70, 0.75),
)  # fmt: skip
_SHOES = (0, 1, 3, 8, 11)
_HAIR = ((25, 28, 30), (45, 62, 92), (105, 165, 205), (150, 150, 155), (35, 60, 140))
_SKIN = ((190, 205, 238), (150, 178, 222), (100, 132, 182), (58, 78, 112))

PATTERN_KINDS = ("plain", "hoops", "stripes", "checks", "block", "panels", "camouflage", "yoke")


@dataclass(frozen=True)
class Pattern:
    """A pattern of two colours on a garment: kind, number of repeats and a seed for its irregularities."""

    kind: str
    repeats: int
    seed: int


@dataclass(frozen=True)
class Wardrobe:
    """The colours and patterns of one split.

    Attributes:
        colours: ``(n, 3)`` float32 BGR in 0..255.
        shoe_colours: The colours that shoes come in (indices into ``colours``).
        hair_colours: ``(n, 3)``.
        skin_colours: ``(n, 3)``.
        patterns: The patterns of tops.
    """

    colours: NDArray[np.float32]
    shoe_colours: tuple[int, ...]
    hair_colours: NDArray[np.float32]
    skin_colours: NDArray[np.float32]
    patterns: tuple[Pattern, ...]


def make_wardrobe(rng: Generator, variants: int, patterns: int) -> Wardrobe:
    """Fill a wardrobe.

    Args:
        rng: Source of randomness: another generator gives other shades and other patterns.
        variants: Shades of every base colour.
        patterns: Number of patterns.
    """
    base = np.tile(np.array(_CLOTHES, np.float32), (variants, 1))
    base[:, 0] = (base[:, 0] + rng.uniform(-12, 12, len(base))) % 360
    base[:, 1] = np.clip(base[:, 1] + rng.uniform(-0.08, 0.08, len(base)) * (base[:, 1] > 0), 0, 1)
    base[:, 2] = np.clip(base[:, 2] + rng.uniform(-0.07, 0.07, len(base)), 0.07, 0.97)
    colours = cv2.cvtColor(base[None].astype(np.float32), cv2.COLOR_HSV2BGR)[0] * 255.0
    shoes = tuple(int(v * len(_CLOTHES) + s) for v in range(min(variants, 1)) for s in _SHOES)
    kinds = [PATTERN_KINDS[i % len(PATTERN_KINDS)] for i in range(patterns)]
    bank = tuple(Pattern(kind, int(rng.integers(2, 6)), int(rng.integers(2**31))) for kind in kinds)
    return Wardrobe(
        colours=colours.astype(np.float32),
        shoe_colours=shoes,
        hair_colours=np.array(_HAIR, np.float32),
        skin_colours=np.array(_SKIN, np.float32),
        patterns=bank,
    )


def paint_pattern(
    pattern: Pattern, first: NDArray[np.float32], second: NDArray[np.float32], rows: int, columns: int
) -> NDArray[np.float32]:
    """Paint a garment unrolled: rows from top to hem, columns once around the body.

    Column 0 is the wearer's left side, a quarter on is the front, three quarters on the back.

    Args:
        pattern: What to paint.
        first: ``(3,)`` main colour.
        second: ``(3,)`` second colour.
        rows: Height of the texture.
        columns: Width of the texture.

    Returns:
        ``(rows, columns, 3)`` float32.
    """
    t = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    a = np.linspace(0, 1, columns, endpoint=False, dtype=np.float32)[None, :]
    n = pattern.repeats
    hoops = np.broadcast_to((t * n) % 1 > 0.5, (rows, columns))
    stripes = np.broadcast_to((a * n * 3) % 1 > 0.5, (rows, columns))
    if pattern.kind == "plain":
        mask = np.zeros((rows, columns), bool)
    elif pattern.kind == "hoops":
        mask = hoops
    elif pattern.kind == "stripes":
        mask = stripes
    elif pattern.kind == "checks":
        mask = hoops ^ stripes
    elif pattern.kind == "block":
        mask = np.broadcast_to(t > 0.35 + 0.05 * n, (rows, columns))
    elif pattern.kind == "panels":
        mask = np.broadcast_to(np.abs((a * 2) % 1 - 0.5) > 0.30, (rows, columns))
    elif pattern.kind == "yoke":
        mask = np.broadcast_to(t < 0.15 + 0.05 * n, (rows, columns))
    else:
        rng = np.random.default_rng(pattern.seed)
        coarse = rng.standard_normal((2 + n, 3 + 2 * n)).astype(np.float32)
        mask = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC) > 0.15
    return np.where(mask[..., None], second, first).astype(np.float32)
