"""The sheet of maps: frames, and below them the maps of networks, or of the branches of one."""

from collections.abc import Sequence

from vidreid.visualize.activations import (
    ActivationBlock,
    ColourScale,
    colour_bar,
    colour_limits,
    heat_over,
)
from vidreid.visualize.block_sheet import SheetBlock, block_sheet, of_height
from vidreid.visualize.palette import Frame

_BAR = (10, 160)


def activation_sheet(
    blocks: Sequence[ActivationBlock],
    networks: Sequence[str],
    scale: ColourScale = "each",
    frame_height: int = 192,
    blocks_a_band: int = 4,
    what: str = "network",
    at_least: int = 0,
) -> Frame:
    """Draw frames and, below them, the maps of each network over the dimmed frames.

    Args:
        blocks: The tracklets, side by side, and in further bands if there are many.
        networks: Names of the networks, in the order of the blocks' activations.
        scale: See ``colour_limits``.
        frame_height: Pixels of a frame; its width follows.
        blocks_a_band: Tracklets side by side.
        what: What a row of maps belongs to, for the legend: a ``network``, or a ``branch`` of one.
        at_least: See ``colour_limits``.

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
    limits = colour_limits([block.activations for block in blocks], scale, at_least)
    plural = "branches" if what == "branch" else f"{what}s"
    whose = f"each {what} by itself" if scale == "each" else f"all {plural} together"
    strong = f"strong from the 99th percentile of {whose} on"
    strong += f", and from {at_least} times its mean at the least" if at_least else ""
    legend = ("weak", colour_bar(*_BAR), strong)
    drawn = [_with_maps(block, limits, frame_height) for block in blocks]
    return block_sheet(drawn, ("frame", *networks), legend, blocks_a_band)


def _with_maps(block: ActivationBlock, limits: Sequence[float], frame_height: int) -> SheetBlock:
    frames = of_height(block.frames, frame_height)
    maps = [
        [heat_over(frame, one, limit) for frame, one in zip(frames, activation, strict=True)]
        for activation, limit in zip(block.activations, limits, strict=True)
    ]
    return SheetBlock([frames, *maps], block.captions)
