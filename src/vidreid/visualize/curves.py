"""Curves of rankings and of training logs as figures."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vidreid.visualize.palette import INK, LINE, MUTED, Colour, Frame

SERIES: tuple[str, ...] = ("#3465c9", "#e07a1f", "#1f9d55", "#9b51c4", "#d64045", "#2ab7ca")


def cmc_figure(curves: Mapping[str, Sequence[float]], max_rank: int = 20) -> Figure:
    """Plot CMC curves: the share of queries answered within the first ``k`` items.

    Args:
        curves: Name and curve, from rank 1, shares in [0, 1].
        max_rank: Last rank shown.

    Returns:
        A figure that belongs to no window and no global state.
    """
    figure, axes = plain_figure("rank", "queries answered (%)")
    lowest = 100.0
    for number, (name, curve) in enumerate(curves.items()):
        values = 100 * np.asarray(curve, dtype=float)[:max_rank]
        ranks = np.arange(1, len(values) + 1)
        colour = SERIES[number % len(SERIES)]
        label = f"{name}  (rank-1 {values[0]:.1f} %)"
        axes.plot(ranks, values, color=colour, linewidth=2, marker="o", markersize=3.5, label=label)
        lowest = min(lowest, float(np.nanmin(values, initial=100)))
    axes.set_xlim(0.5, max_rank + 0.5)
    axes.set_xticks([1, *range(5, max_rank + 1, 5)])
    axes.set_ylim(max(0, 10 * np.floor(lowest / 10 - 0.5)), 101)
    if curves:
        axes.legend(loc="lower right", frameon=False, fontsize=9)
    return figure


def training_figure(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], quantity: str, horizontal: str = "epoch"
) -> Figure:
    """Plot a logged quantity over the training.

    Args:
        curves: Name, and positions and values of the same length.
        quantity: What the values are.
        horizontal: What the positions are.
    """
    figure, axes = plain_figure(horizontal, quantity)
    for number, (name, (positions, values)) in enumerate(curves.items()):
        axes.plot(positions, values, color=SERIES[number % len(SERIES)], linewidth=1.8, label=name)
    if curves:
        axes.legend(loc="best", frameon=False, fontsize=9)
    return figure


def plain_figure(
    horizontal: str, vertical: str, size: tuple[float, float] = (5.6, 3.6)
) -> tuple[Figure, Axes]:
    """Return an empty figure in the style of the house and its axes."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(horizontal, color=_hex(INK))
    axes.set_ylabel(vertical, color=_hex(INK))
    axes.grid(color=_hex(LINE), linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(color=_hex(LINE), labelcolor=_hex(MUTED))
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_hex(LINE))
    return figure, axes


def figure_pixels(figure: Figure, dpi: int = 130) -> Frame:
    """Draw a figure into ``(H, W, 3)`` uint8 RGB."""
    figure.set_dpi(dpi)
    drawing = FigureCanvasAgg(figure)
    drawing.draw()
    return np.asarray(drawing.buffer_rgba())[..., :3].copy()


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
