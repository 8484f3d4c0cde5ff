"""Items of one tile that are nearer than a query's right answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vidreid.metrics.positions import sorted_rows
from vidreid.metrics.row_search import count_below
from vidreid.metrics.tiles import Tile

_CHUNK_ELEMENTS = {"cpu": 1 << 20, "cuda": 1 << 26}

Resolve = Callable[[Tensor, Tensor], Tensor]
"""Exact float64 distances of pairs of a row and a column of the tile."""


@dataclass(frozen=True)
class Wanted:
    """Right answers of the queries of a tile, wherever in the gallery, whose ranks are wanted.

    Attributes:
        rows: ``(m,)`` int64, rows of the tile, ascending.
        items: ``(m,)`` int64, gallery rows.
        values: ``(m,)`` float64, exact distances.
    """

    rows: Tensor
    items: Tensor
    values: Tensor


def count_nearer(
    tile: Tile, wanted: Wanted, first: int, resolve: Resolve, most: int
) -> tuple[Tensor, Tensor] | None:
    """Count the items of a tile that rank before each right answer: nearer, or as far and of a lower row.

    Values of a row are sorted, so that a search counts those below a right answer's margin. The few items
    within the margin are decided by exact distances.

    Args:
        tile: Distances; infinite where an item does not count.
        wanted: What to count for.
        first: Gallery row of the tile's first column.
        resolve: Gives exact distances.
        most: Pairs of a right answer and an item within its margin that are decided one by one.

    Returns:
        ``(m,)`` int64 counts, and ``(m,)`` bool: whether an item is exactly as far. ``None`` if more than
        ``most`` pairs are within margins.
    """
    low, high = tile.bounds(wanted.values, wanted.rows)
    ordered = sorted_rows(tile.values)
    width = ordered.shape[1]
    nearer = count_below(ordered, wanted.rows, low)
    # The next value says whether any is within the margin: few right answers need the second search.
    following = ordered.reshape(-1).index_select(0, wanted.rows * width + nearer.clamp(max=width - 1))
    some = ((following <= high) & (nearer < width)).nonzero().squeeze(1)
    close = count_below(ordered, wanted.rows[some], high[some], or_equal=True) - nearer[some]
    tied = torch.zeros_like(nearer, dtype=torch.bool)
    if int(close.sum()) > most:
        return None
    step = max(1, _CHUNK_ELEMENTS.get(tile.values.device.type, 1 << 20) // width)
    for part in some.split(step):
        which, columns = _between(tile.values[wanted.rows[part]], low[part], high[part])
        which = part[which]
        exact = _each_once(wanted.rows[which], columns, width, resolve)
        equal = exact == wanted.values[which]
        before = (exact < wanted.values[which]) | (equal & (first + columns < wanted.items[which]))
        nearer.index_add_(0, which, before.long())
        tied[which[equal]] = True
    return nearer, tied


def _each_once(rows: Tensor, columns: Tensor, width: int, resolve: Resolve) -> Tensor:
    """Resolve pairs of which many are the same: an item may be close to several answers of a query."""
    pairs, place = (rows * width + columns).unique(return_inverse=True)
    return resolve(pairs // width, pairs % width)[place]


def _between(values: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of the values from ``low`` to ``high`` of their row, both included."""
    if values.device.type != "cpu":
        rows, columns = ((values >= low[:, None]) & (values <= high[:, None])).nonzero(as_tuple=True)
        return rows, columns
    # NumPy compares and finds several times as fast as torch on a CPU.
    table = values.numpy()
    inside = (table >= low.numpy()[:, None]) & (table <= high.numpy()[:, None])
    found = torch.from_numpy(np.flatnonzero(inside))
    return found // values.shape[1], found % values.shape[1]
