"""Colours of parts where their weights are, and the layout around them."""

import numpy as np
import pytest

from vidreid.visualize.block_sheet import SheetBlock, block_sheet
from vidreid.visualize.palette import PARTS, Frame
from vidreid.visualize.part_sheet import PartBlock, part_sheet, parts_over

GREY = np.full((32, 16, 3), 90, np.uint8)
NAMES = ("head", "left_leg")


def shade(colour: tuple[int, int, int], opacity: float) -> list[int]:
    return [round(opacity * c + (1 - opacity) * 90) for c in colour]


def maps(*cells: tuple[int, int, int, float]) -> np.ndarray:
    values = np.zeros((2, 4, 2))
    for part, row, column, value in cells:
        values[part, row, column] = value
    return values


def test_patches_have_the_colour_of_their_part() -> None:
    picture = parts_over(GREY, maps((0, 0, 1, 1.0), (1, 3, 0, 0.5)), NAMES)
    # A patch is 8 x 8 pixels.
    assert (picture[:8, 8:] == shade(PARTS["head"], 0.85)).all()
    assert (picture[24:, :8] == shade(PARTS["left_leg"], 0.425)).all()
    picture[:8, 8:] = picture[24:, :8] = 90
    assert (picture == 90).all()


def test_where_parts_overlap_colours_mix_by_weight() -> None:
    picture = parts_over(GREY, maps((0, 1, 0, 0.75), (1, 1, 0, 0.25)), NAMES)
    mixed = 0.75 * np.array(PARTS["head"]) + 0.25 * np.array(PARTS["left_leg"])
    expected = 0.85 * 0.75 * mixed + (1 - 0.85 * 0.75) * 90
    np.testing.assert_allclose(picture[12, 4], expected, atol=1)


def test_every_part_is_drawn_up_to_its_own_strongest_patch() -> None:
    weights = np.stack([maps((0, 0, 0, 0.02), (1, 3, 1, 0.4)), maps((0, 0, 0, 0.01), (1, 3, 1, 0.4))])
    sheet = part_sheet([PartBlock([GREY, GREY], weights, ("tracklet 1",))], NAMES, frame_height=32)
    frames = np.argwhere((sheet == 90).all(axis=2))
    top, left = frames.min(axis=0)
    first = sheet[top + 34 : top + 66, left : left + 16]
    second = sheet[top + 34 : top + 66, left + 18 : left + 34]
    assert (first[4, 4] == shade(PARTS["head"], 0.85)).all()
    assert (second[4, 4] == shade(PARTS["head"], 0.425)).all()
    assert (first[28, 12] == second[28, 12]).all()
    # The legend shows both colours as they are.
    assert all((sheet == PARTS[name]).all(axis=2).sum() == 12 * 12 for name in NAMES)


def test_no_part_at_all_is_a_grey_frame() -> None:
    sheet = part_sheet([PartBlock([GREY], np.zeros((1, 2, 4, 2)))], NAMES, frame_height=32)
    assert (sheet == 90).all(axis=2).sum() == 2 * 32 * 16


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match="no frame to draw"):
        part_sheet([], NAMES)
    with pytest.raises(ValueError, match="map of every part"):
        part_sheet([PartBlock([GREY], np.zeros((1, 3, 4, 2)))], NAMES)


def dark_rows(picture: Frame) -> int:
    """Count runs of rows that hold letters."""
    dark = (picture < 140).all(axis=2).any(axis=1)
    return int((dark[1:] & ~dark[:-1]).sum() + dark[0])


def test_captions_and_legend_are_never_cut_off() -> None:
    """A caption longer than the block goes on below; the sheet is as wide as its legend."""
    white = np.full((32, 120, 3), 255, np.uint8)
    long = "hidden: head, torso, left_arm, right_arm, left_leg, right_leg"
    short = block_sheet([SheetBlock([[white]], ("one",))], ("",), ("weak",))
    high = block_sheet([SheetBlock([[white]], ("one", long))], ("",), ("weak",))
    assert dark_rows(high) >= dark_rows(short) + 4
    assert (high[:, -16:] == 255).all()
    wide = block_sheet([SheetBlock([[white]])], ("",), ("a legend far longer than the block " * 3,))
    assert wide.shape[1] > short.shape[1] + 200
    assert (wide[:, -16:] == 255).all()
    assert (wide[:, -40:-16] < 200).any()
