"""From attributes to textures: what every part of the body wears, unrolled around its axis."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vidreid.synthetic.identity import BAGS, HAIR_STYLES, HEMS, LOGOS, SLEEVES, Identity
from vidreid.synthetic.wardrobe import Wardrobe, paint_pattern

ROWS, COLUMNS = 32, 64
FRONT, BACK = COLUMNS // 4, 3 * COLUMNS // 4

Textures = dict[str, NDArray[np.float32]]


def dress(identity: Identity, wardrobe: Wardrobe, rng: Generator) -> Textures:
    """Paint the textures of all body parts.

    Args:
        identity: Whom to dress.
        wardrobe: The colours and patterns that its attributes point to.
        rng: Folds of the cloth: the same garments fall a little differently in every tracklet.

    Returns:
        By part name, ``(32, 64, 3)`` float32 BGR albedo in 0..255: rows from the upper to the lower end,
        columns around the axis from the wearer's left by front and right to back.
    """
    colours = wardrobe.colours
    top, second = colours[identity.top], colours[identity.second]
    bottom, shoes, bag = colours[identity.bottom], colours[identity.shoes], colours[identity.bag_colour]
    skin, hair = wardrobe.skin_colours[identity.skin], wardrobe.hair_colours[identity.hair]
    pattern = wardrobe.patterns[identity.pattern]

    chest = paint_pattern(pattern, top, second, ROWS, COLUMNS)
    _print(chest, LOGOS[identity.front], FRONT, second)
    _print(chest, LOGOS[identity.back], BACK, second)
    _straps(chest, BAGS[identity.bag], bag * 0.8)

    sleeve = SLEEVES[identity.sleeve]
    if pattern.kind in ("hoops", "checks", "camouflage"):
        arm = paint_pattern(pattern, top, second, ROWS, COLUMNS)
    else:
        arm = _plain(second if pattern.kind == "panels" else top)
    upper_arm = arm.copy()
    forearm = arm.copy() if sleeve == "long" else _plain(skin)
    if sleeve == "short":
        upper_arm[ROWS // 2 :] = skin
    elif sleeve == "elbow":
        forearm[: ROWS // 6] = arm[: ROWS // 6]

    hem = HEMS[identity.hem]
    thigh, shin = _plain(bottom), _plain(bottom)
    if hem == "shorts":
        thigh[int(ROWS * 0.7) :] = skin
        shin = _plain(skin)
    elif hem == "knee":
        shin[ROWS // 4 :] = skin
    elif hem == "skirt":
        thigh, shin = _plain(skin), _plain(skin)

    textures = {
        "head": _head(HAIR_STYLES[identity.hair_style], skin, hair, second),
        "neck": _plain(hair if HAIR_STYLES[identity.hair_style] == "long" else skin),
        "hair": _plain(hair),
        "chest": chest,
        "pelvis": _plain(bottom),
        "skirt": _plain(bottom),
        "upper_arm": upper_arm,
        "forearm": forearm,
        "hand": _plain(skin),
        "thigh": thigh,
        "shin": shin,
        "foot": _plain(shoes),
        "bag": _plain(bag),
    }
    folds = {"chest", "upper_arm", "forearm", "thigh", "shin", "skirt", "pelvis"}
    return {name: _folds(t, rng) if name in folds else t for name, t in textures.items()}


def _plain(colour: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.broadcast_to(colour, (ROWS, COLUMNS, 3)).astype(np.float32)


def _print(chest: NDArray[np.float32], logo: str, centre: int, colour: NDArray[np.float32]) -> None:
    if logo == "square":
        # A contrast that holds on any cloth: the print has a light or a dark ground.
        ground = 235.0 if chest.mean() < 120 else 25.0
        chest[6:18, centre - 7 : centre + 8] = ground
        chest[9:15, centre - 4 : centre + 5] = colour
    elif logo == "band":
        chest[12:18, centre - 14 : centre + 15] = 240.0 if colour.mean() < 120 else 20.0


def _straps(chest: NDArray[np.float32], bag: str, colour: NDArray[np.float32]) -> None:
    if bag == "backpack":
        for offset in (-9, 6):
            chest[:20, FRONT + offset : FRONT + offset + 4] = colour
    elif bag in ("left", "right"):
        # The strap runs from one shoulder to the other hip, in front and behind.
        rows = np.arange(ROWS)
        sway = ((rows / ROWS - 0.5) * 24).astype(int)
        for centre, turn in ((FRONT, -1), (BACK, 1)):
            side = turn if bag == "left" else -turn
            for width in range(-1, 2):
                chest[rows, (centre + side * sway + width) % COLUMNS] = colour


def _head(
    style: str, skin: NDArray[np.float32], hair: NDArray[np.float32], cap: NDArray[np.float32]
) -> NDArray[np.float32]:
    head = _plain(skin).copy()
    if style != "bald":
        around = np.abs((np.arange(COLUMNS) - FRONT + COLUMNS // 2) % COLUMNS - COLUMNS // 2)
        reach = np.where(around < 11, 8, 22 if style != "long" else 31)
        head[np.arange(ROWS)[:, None] < reach[None, :]] = cap if style == "cap" else hair
        if style == "cap":
            back = np.arange(ROWS)[:, None] >= 12
            head[back & (around[None, :] >= 16) & (np.arange(ROWS)[:, None] < 22)] = hair
    for eye in (-4, 3):
        head[13:16, FRONT + eye : FRONT + eye + 2] = skin * 0.35
    head[22:24, FRONT - 3 : FRONT + 4] = skin * np.array((0.7, 0.6, 0.85), np.float32)
    return head


def _folds(texture: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    coarse = rng.standard_normal((6, 10)).astype(np.float32)
    folds = cv2.resize(coarse, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR)
    return np.clip(texture * (1 + 0.07 * folds[..., None]), 0, 255).astype(np.float32)
