"""Exact ranks of a few items in every row of a distance matrix, without an argsort."""

import torch
from torch import Tensor

_CHUNK_ELEMENTS = 1 << 21


def positions(distances: Tensor, queries: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Rank of each wanted item under a stable ascending sort of its row.

    Only the *values* of a row are sorted, which costs a fraction of an argsort; the number of smaller values
    gives the rank. Rows in which a wanted item is tied are ranked once more by distance and column together,
    so that of equally far items the lower column comes first.

    Args:
        distances: ``(n, G)`` float32, not negative, infinite where the item is left out.
        queries: ``(M,)`` rows, ascending.
        items: ``(M,)`` columns, with finite distances.

    Returns:
        Ranks from 1, ``(M,)`` int64, and ``(M,)`` bool: whether the item is as far as one that is not wanted
        in its row, so that the order between them is arbitrary.
    """
    wanted = distances[queries, items]
    rows = len(distances)
    nearer, equal = _search(sorted_rows(distances), wanted, queries, rows)
    own = _pad(wanted, queries, rows, torch.inf)[0].sort(dim=1).values
    _, equal_wanted = _search(own, wanted, queries, rows)
    ranks = nearer + 1
    tied = queries[equal > 1].unique()
    for chunk in tied.split(max(1, _CHUNK_ELEMENTS // max(1, distances.shape[1]))):
        keys = distance_then_column(distances[chunk])
        picked = torch.isin(queries, chunk).nonzero().squeeze(1)
        local = torch.searchsorted(chunk, queries[picked])
        below, _ = _search(sorted_rows(keys), keys[local, items[picked]], local, len(chunk))
        ranks[picked] = below + 1
    return ranks, equal > equal_wanted


def sorted_rows(values: Tensor) -> Tensor:
    """Sort each row of ``(n, G)`` values into a new tensor."""
    if values.device.type != "cpu":
        return values.sort(dim=1).values
    ordered = values.clone()
    # NumPy sorts with vector instructions, some twenty times as fast as torch's sort on a CPU.
    ordered.numpy().sort(axis=1)
    return ordered


def distance_then_column(distances: Tensor) -> Tensor:
    """Return keys that order items by distance, and equally far ones by column.

    Args:
        distances: ``(n, G)`` float32, not negative.

    Returns:
        ``(n, G)`` int64: the bits of the distance, and below them in 32 bits the column.
    """
    # The bits of floats that are not negative order as integers do; adding 0 makes a positive zero of -0.
    bits = (distances + 0.0).view(torch.int32).long()
    return (bits << 32) | torch.arange(distances.shape[1], device=distances.device)


def _search(ordered: Tensor, values: Tensor, queries: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """How many values of its row in ``ordered`` are smaller than, and equal to, each of ``values``."""
    padded, within = _pad(values, queries, rows, 0)
    lower = torch.searchsorted(ordered, padded)[queries, within]
    return lower, torch.searchsorted(ordered, padded, right=True)[queries, within] - lower


def _pad(values: Tensor, queries: Tensor, rows: int, fill: float) -> tuple[Tensor, Tensor]:
    """Lay the values of each row side by side: ``(rows, most values of a row)`` and their columns there."""
    counts = torch.bincount(queries, minlength=rows)
    within = torch.arange(len(queries), device=queries.device) - (counts.cumsum(0) - counts)[queries]
    padded = values.new_full((rows, int(counts.max()) if len(queries) else 0), fill)
    padded[queries, within] = values
    return padded, within
