"""Tiles in which many items are nearly as far as right answers: descriptors that have collapsed, or codes."""

import torch
from torch import Tensor

from vidreid.metrics.counting import Resolve, Wanted
from vidreid.metrics.positions import sorted_rows
from vidreid.metrics.row_search import count_below
from vidreid.metrics.tiles import Tile

_CHUNK_ELEMENTS = 1 << 20


def settle(tile: Tile, wanted: Wanted, resolve: Resolve) -> Tensor:
    """Replace every distance that is within the margin of a right answer of its row by the exact one.

    After that all comparisons with right answers are exact, ties included.

    Args:
        tile: float64 distances of the queries to distinct items, none left out.
        wanted: The right answers.
        resolve: Gives exact distances.

    Returns:
        ``(n, w)`` float64 distances.
    """
    low, high = tile.bounds(wanted.values, wanted.rows)
    rows, width = tile.values.shape
    counts = torch.bincount(wanted.rows, minlength=rows)
    within = torch.arange(len(wanted.rows), device=counts.device)
    within -= (counts.cumsum(0) - counts)[wanted.rows]
    edges = tile.values.new_full((2, rows, int(counts.max()) if rows else 0), torch.inf)
    edges[0, wanted.rows, within], edges[1, wanted.rows, within] = low, high
    edges = edges.sort(dim=2).values
    values = tile.values + tile.shift[:, None]
    for start in range(0, rows, max(1, _CHUNK_ELEMENTS // max(1, width))):
        part = slice(start, start + max(1, _CHUNK_ELEMENTS // max(1, width)))
        entered = torch.searchsorted(edges[0, part].contiguous(), tile.values[part], right=True)
        left = torch.searchsorted(edges[1, part].contiguous(), tile.values[part])
        found, columns = (entered > left).nonzero(as_tuple=True)
        found += start
        values[found, columns] = resolve(found, columns)
    return values


def count_exactly(values: Tensor, wanted: Wanted, first: int) -> tuple[Tensor, Tensor]:
    """Count what ranks before each right answer in settled distances.

    Args:
        values: ``(n, w)`` float64 from :func:`settle`, infinite where an item does not count.
        wanted: What to count for.
        first: Gallery row of the first column.

    Returns:
        As :func:`~vidreid.metrics.counting.count_nearer`.
    """
    width = values.shape[1]
    ordered = sorted_rows(values)
    nearer = count_below(ordered, wanted.rows, wanted.values)
    equal = count_below(ordered, wanted.rows, wanted.values, or_equal=True) - nearer
    # The tile comes before an answer of a later tile and behind one of an earlier; inside, columns decide.
    before = torch.where(wanted.items >= first + width, equal, 0)
    here = ((wanted.items >= first) & (wanted.items < first + width) & (equal > 0)).nonzero().squeeze(1)
    columns = torch.arange(first, first + width, device=values.device)
    for part in here.split(max(1, _CHUNK_ELEMENTS // width)):
        same = values[wanted.rows[part]] == wanted.values[part, None]
        before[part] = (same & (columns < wanted.items[part, None])).sum(dim=1)
    return nearer + before, equal > 0
