"""Pictures: ranked strips, skeletons and part maps over frames, activations, curves."""

from vidreid.visualize.activation_sheet import activation_sheet
from vidreid.visualize.activations import ActivationBlock, conv1_activation, share_on_body
from vidreid.visualize.curves import cmc_figure, figure_pixels, plain_figure, training_figure
from vidreid.visualize.part_sheet import PartBlock, part_sheet
from vidreid.visualize.ranked import frames_reader, ranked_rows, spread_queries
from vidreid.visualize.save import save_png
from vidreid.visualize.skeletons import draw_skeleton, skeleton_sheet
from vidreid.visualize.strips import RankedRow, Strip, ranked_strips, tracklet_strips

__all__ = [
    "ActivationBlock",
    "PartBlock",
    "RankedRow",
    "Strip",
    "activation_sheet",
    "cmc_figure",
    "conv1_activation",
    "draw_skeleton",
    "figure_pixels",
    "frames_reader",
    "part_sheet",
    "plain_figure",
    "ranked_rows",
    "ranked_strips",
    "save_png",
    "share_on_body",
    "skeleton_sheet",
    "spread_queries",
    "tracklet_strips",
    "training_figure",
]
