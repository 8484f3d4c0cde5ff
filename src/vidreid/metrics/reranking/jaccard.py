"""Jaccard distances of sparse vectors to a whole gallery, from an inverted index."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array


class JaccardDistances:
    """Jaccard distances from sparse vectors to those of a gallery.

    For vectors ``a`` and ``b`` of sum 1 and ``m = sum_x min(a_x, b_x)`` the distance is ``1 - m / (2 - m)``.
    For every place ``x`` the index knows which gallery vectors are not zero there.

    Args:
        gallery: ``(G, N)`` sparse, not negative.
    """

    def __init__(self, gallery: csr_array) -> None:
        index = csc_array(gallery)
        index.sort_indices()
        self.size = len(gallery.indptr) - 1
        self._starts, self._items, self._values = index.indptr, index.indices, index.data
        self._lengths = np.diff(index.indptr)

    def __call__(self, places: NDArray[np.integer], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distances from one vector to the gallery, ``(G,)``, at least 0.

        Args:
            places: Where the vector is not zero.
            values: What it is there.
        """
        lengths = self._lengths[places]
        stops = lengths.cumsum()
        entries = np.arange(stops[-1] if len(stops) else 0)
        entries += np.repeat(self._starts[places] - (stops - lengths), lengths)
        smaller = np.minimum(self._values[entries], np.repeat(values, lengths))
        common = np.bincount(self._items[entries], smaller, minlength=self.size)
        return np.maximum(1 - common / (2 - common), 0)
