"""Exact ranks of a few items in every row of a distance matrix, without an argsort."""

import torch
from torch import Tensor

_CHUNK_ELEMENTS = 1 << 22


def positions(distances: Tensor, queries: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Rank of each wanted item under a stable ascending sort of its row.

    Only the *values* of a row are sorted, which costs a fraction of an argsort. The number of smaller values
    gives the rank; items of equal distance are then counted by their place in the gallery, the lower index
    first.

    Args:
        distances: ``(n, G)`` float32, infinite where the item is left out.
        queries: ``(M,)`` rows, ascending.
        items: ``(M,)`` columns, with finite distances.

    Returns:
        Ranks from 1, ``(M,)`` int64, and ``(M,)`` bool: whether the item is as far as one that is not wanted
        in its row, so that the order between them is arbitrary.
    """
    device = distances.device
    wanted = distances[queries, items]
    counts = torch.bincount(queries, minlength=len(distances))
    within = torch.arange(len(queries), device=device) - (counts.cumsum(0) - counts)[queries]
    padded = distances.new_full((len(distances), int(counts.max()) if len(queries) else 0), torch.inf)
    padded[queries, within] = wanted

    def equal_values(ordered: Tensor) -> tuple[Tensor, Tensor]:
        lower = torch.searchsorted(ordered, padded)[queries, within]
        return lower, torch.searchsorted(ordered, padded, right=True)[queries, within] - lower

    nearer, equal = equal_values(sorted_rows(distances))
    _, equal_wanted = equal_values(padded.sort(dim=1).values)
    ranks = nearer + 1
    ties = (equal > 1).nonzero().squeeze(1)
    columns = torch.arange(distances.shape[1], device=device)
    for chunk in ties.split(max(1, _CHUNK_ELEMENTS // distances.shape[1])):
        same = distances[queries[chunk]] == wanted[chunk, None]
        ranks[chunk] += (same & (columns < items[chunk, None])).sum(dim=1)
    return ranks, equal > equal_wanted


def sorted_rows(values: Tensor) -> Tensor:
    """Sort each row of ``(n, G)`` values into a new tensor."""
    if values.device.type != "cpu":
        return values.sort(dim=1).values
    ordered = values.clone()
    # NumPy sorts float32 with vector instructions, some twenty times as fast as torch's sort on a CPU.
    ordered.numpy().sort(axis=1)
    return ordered
