"""Sparse vectors that say how near the members of an item's neighbourhood are."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from vidreid.metrics.reranking.item_distances import ItemDistances
from vidreid.metrics.reranking.neighbours import NeighbourLists

Normalise = Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[np.float64]]
"""From distances and the items that they are from to distances of at most 1."""


def encode(
    sets: csr_array, lists: NeighbourLists, distances_of: ItemDistances, normalise: Normalise
) -> csr_array:
    """Weigh the members of each set by ``exp(-d)``, scaled to sum 1.

    Args:
        sets: ``(N, N)`` sparse, indices sorted.
        lists: Gives most distances; those of members that no list has are computed again.
        distances_of: Distances among the items.
        normalise: Scales distances.

    Returns:
        ``(N, N)`` sparse float64. An empty set leaves an empty row.
    """
    total = len(lists.items)
    owners = np.repeat(np.arange(total), np.diff(sets.indptr))
    members = sets.indices.astype(np.int64)
    distances = normalise(_member_distances(owners, members, lists, distances_of), owners)
    weights = np.exp(-distances)
    sums = np.bincount(owners, weights, minlength=total)
    return csr_array((weights / sums[owners], sets.indices, sets.indptr), shape=(total, total))


def expand(encodings: csr_array, lists: NDArray[np.int64], k2: int) -> csr_array:
    """Replace each row by the mean of the rows of its ``k2`` nearest items (local query expansion).

    Args:
        encodings: ``(N, N)`` sparse.
        lists: ``(N, L)``, the nearest items of each item, ``L`` at least ``k2`` unless there are fewer items.
        k2: How many; 1 leaves the rows as they are.
    """
    if k2 == 1:
        return encodings
    items = lists[:, :k2]
    starts = np.arange(len(items) + 1) * items.shape[1]
    shares = np.full(items.size, 1 / max(1, items.shape[1]))
    # Ascending columns fix the order in which the rows are added.
    chosen = csr_array((shares, np.sort(items, axis=1).ravel(), starts), shape=encodings.shape)
    means = csr_array(chosen @ encodings)
    means.sort_indices()
    return means


def _member_distances(
    owners: NDArray[np.int64],
    members: NDArray[np.int64],
    lists: NeighbourLists,
    distances_of: ItemDistances,
) -> NDArray[np.float32]:
    total, length = lists.items.shape
    listed = (np.arange(total)[:, None] * total + lists.items).ravel()
    order = listed.argsort()
    wanted = owners * total + members
    places = order[np.searchsorted(listed, wanted, sorter=order).clip(max=max(0, total * length - 1))]
    distances = lists.distances.ravel()[places]
    lacking = np.flatnonzero(listed[places] != wanted)
    rows = np.unique(owners[lacking])
    stops = np.searchsorted(owners[lacking], rows, side="right")
    for start in range(0, len(rows), distances_of.tile):
        part = rows[start : start + distances_of.tile]
        block = distances_of(torch.from_numpy(part).to(distances_of.device)).cpu().numpy()
        first = stops[start - 1] if start else 0
        pairs = lacking[first : stops[start + len(part) - 1]]
        distances[pairs] = block[np.searchsorted(part, owners[pairs]), members[pairs]]
    return distances
