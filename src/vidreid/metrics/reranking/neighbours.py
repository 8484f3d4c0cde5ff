"""The nearest items of every item, in one pass over blocks of distances."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidreid.metrics.positions import distance_then_column
from vidreid.metrics.reranking.item_distances import ItemDistances

_CHUNK_ELEMENTS = 1 << 19  # keys of a chunk stay in the processor's cache


class NeighbourLists(NamedTuple):
    """The nearest items of each of ``N`` items, itself among them, nearest first.

    Attributes:
        items: ``(N, L)`` int64.
        distances: ``(N, L)`` float32.
        maxima: ``(N,)`` float32, the largest distance of each item.
    """

    items: NDArray[np.int64]
    distances: NDArray[np.float32]
    maxima: NDArray[np.float32]


def nearest(distances: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Find the smallest distances of each row; of equal ones the lower column comes first.

    Args:
        distances: ``(n, N)`` float32, not negative.
        count: How many; fewer if ``N`` is smaller.

    Returns:
        Distances ``(n, count)`` float32 and columns ``(n, count)`` int64.
    """
    count = min(count, distances.shape[1])
    found = []
    for part in distances.split(max(1, _CHUNK_ELEMENTS // max(1, distances.shape[1]))):
        found.append(distance_then_column(part).topk(count, largest=False, sorted=True).values)
    keys = torch.cat([torch.empty(0, count, dtype=torch.int64, device=distances.device), *found])
    return (keys >> 32).int().view(torch.float32), keys & 0xFFFFFFFF


def neighbour_lists(distances_of: ItemDistances, length: int, step: int | None = None) -> NeighbourLists:
    """List the nearest items of all items, holding the distances of ``step`` items at a time.

    Args:
        distances_of: Distances among the items.
        length: Of the lists; shorter if there are fewer items.
        step: Of no weight for the result; by default what suits the distances.
    """
    total = distances_of.total
    items = np.empty((total, min(length, total)), np.int64)
    distances = np.empty(items.shape, np.float32)
    maxima = np.empty(total, np.float32)
    step = step or distances_of.tile
    for start in range(0, total, step):
        here = slice(start, min(start + step, total))
        block = distances_of(torch.arange(here.start, here.stop, device=distances_of.device))
        values, columns = nearest(block, length)
        items[here], distances[here] = columns.cpu().numpy(), values.cpu().numpy()
        maxima[here] = block.amax(dim=1).cpu().numpy()
    return NeighbourLists(items, distances, maxima)
