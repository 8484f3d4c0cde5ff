"""Which items have each other among their nearest, as sparse rows."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

_ROWS = 1024


def reciprocal_neighbours(lists: NDArray[np.int64], length: int) -> csr_array:
    """Return ``(N, N)`` with a one where two items are in each other's lists.

    Args:
        lists: ``(N, L)``, the nearest items of each item.
        length: How much of the lists counts.
    """
    total = len(lists)
    items = lists[:, :length]
    starts = np.arange(total + 1) * items.shape[1]
    listed = csr_array((np.ones(items.size, np.int32), items.ravel(), starts), shape=(total, total))
    return csr_array(listed.multiply(listed.T.tocsr()))


def half_length(k1: int) -> int:
    """Return the length of the half list: ``k1 / 2``, rounded with halves to even, and the item itself."""
    return round(k1 / 2) + 1


def expanded_sets(lists: NDArray[np.int64], k1: int) -> csr_array:
    """Return the k-reciprocal sets, each joined with the half-size sets that overlap it.

    The half-size set of a member is merged if strictly more than two thirds of it lie in the member's set;
    the paper asks for at least two thirds, the code that it was released with for more, which decides for
    sets of 3, 6 and so on.

    Args:
        lists: ``(N, L)``, the nearest items of each item, itself among them, ``L`` at least ``k1 + 1`` unless
            there are fewer items.
        k1: Size of the neighbourhood.

    Returns:
        ``(N, N)`` sparse; what is stored in a row is the item's set.
    """
    sets = reciprocal_neighbours(lists, k1 + 1)
    halves = reciprocal_neighbours(lists, half_length(k1))
    sizes = halves.sum(axis=1)
    transposed = halves.T.tocsr()
    expanded = []
    for start in range(0, len(lists), _ROWS):  # products of a few rows, so that they stay small
        own = sets[start : start + _ROWS]
        overlaps = csr_array((own @ transposed).multiply(own))
        overlaps.data = (3 * overlaps.data > 2 * sizes[overlaps.indices]).astype(np.int32)
        overlaps.eliminate_zeros()
        expanded.append(own + overlaps @ halves)
    joined = csr_array(vstack(expanded, format="csr")) if expanded else sets
    joined.sort_indices()
    return joined
