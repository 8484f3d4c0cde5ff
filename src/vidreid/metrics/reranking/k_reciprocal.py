"""k-reciprocal re-ranking without a matrix of all pairs."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidreid.metrics.distances import Distance
from vidreid.metrics.full_precision import full_precision
from vidreid.metrics.reranking.encodings import encode, expand
from vidreid.metrics.reranking.item_distances import DescriptorDistances, ItemDistances, MatrixDistances
from vidreid.metrics.reranking.jaccard import JaccardDistances
from vidreid.metrics.reranking.method import check_number, check_whole
from vidreid.metrics.reranking.neighbours import neighbour_lists
from vidreid.metrics.reranking.reciprocal_sets import expanded_sets
from vidreid.metrics.segments import Segments


@dataclass(frozen=True)
class KReciprocal:
    """Re-ranking by k-reciprocal neighbourhoods (Zhong et al., "Re-ranking Person Re-identification with
    k-reciprocal Encoding", CVPR 2017).

    Two items are alike if the same items are near to both. Each item, query or gallery, gets a sparse vector
    of the items that have it among their ``k1`` nearest and are among its own, and of their like; the vectors
    of the ``k2`` nearest items are averaged; their Jaccard distance is mixed with the original one.

    The paper's original distance is the squared Euclidean one, and each item's are divided by their largest.
    The released function squares the distances that it is given, so it is right for Euclidean ones; several
    evaluators feed it squared ones, which are so squared twice. ``squared_again`` repeats that.

    Attributes:
        method: What results call it.
        k1: Size of the neighbourhoods.
        k2: Items that a vector is averaged over, itself among them; 1 averages nothing.
        lambda_: Share of the original distance.
        squared_again: Square the normalised distances once more.

    Raises:
        ValueError: If a number is out of its range.
    """

    k1: int = 20
    k2: int = 6
    lambda_: float = 0.3
    squared_again: bool = False
    method = "k_reciprocal"

    def __post_init__(self) -> None:
        check_whole("k1", self.k1)
        check_whole("k2", self.k2)
        check_number("lambda_", self.lambda_, 0, 1)

    def __call__(
        self,
        query: Tensor,
        gallery: Tensor,
        distance: Distance = "euclidean",
        segments: Segments | None = None,
        query_visible: Tensor | None = None,
        gallery_visible: Tensor | None = None,
    ) -> "KReciprocalDistances":
        """Look at all queries and the whole gallery; :class:`~vidreid.metrics.reranking.method.Reranking`."""
        with full_precision(gallery.device):
            items = DescriptorDistances(query, gallery, distance, segments, query_visible, gallery_visible)
            return KReciprocalDistances(items, len(query), self)

    def of_matrices(
        self, query_gallery: Tensor, query_query: Tensor, gallery_gallery: Tensor
    ) -> "KReciprocalDistances":
        """Re-rank by distances that are given.

        Args:
            query_gallery: ``(Q, G)``, squared Euclidean distances; Euclidean ones with ``squared_again``.
            query_query: ``(Q, Q)``.
            gallery_gallery: ``(G, G)``.

        Raises:
            ValueError: If sizes disagree or a value is no distance.
        """
        items = MatrixDistances(query_gallery, query_query, gallery_gallery)
        return KReciprocalDistances(items, len(query_query), self)


class KReciprocalDistances:
    """Re-ranked distances from slices of the queries to the gallery.

    Only neighbour lists and sparse rows are held, and the original distances of a few items at a time. They
    are computed in one pass; a second time for the queries that are asked for, and for items with a member
    of their set outside their list, which are few.

    Attributes:
        tile: Queries to ask for at a time.

    Args:
        distances_of: Distances among queries and gallery, queries first.
        queries: How many of the items are queries.
        settings: Of the method.
    """

    @torch.no_grad()
    def __init__(self, distances_of: ItemDistances, queries: int, settings: KReciprocal) -> None:
        self.tile = distances_of.tile
        self._distances_of = distances_of
        self._queries = queries
        self._settings = settings
        # Longer than the neighbourhoods: a set reaches beyond them, and what is listed is not computed again.
        lists = neighbour_lists(distances_of, max(2 * (settings.k1 + 1), settings.k2))
        # Items that are all in one place have nothing to be divided by.
        self._maxima = np.where(lists.maxima > 0, lists.maxima, 1).astype(np.float64)
        sets = expanded_sets(lists.items, settings.k1)
        encodings = expand(encode(sets, lists, distances_of, self._normalised), lists.items, settings.k2)
        self._encodings = encodings[:queries]
        self._jaccard = JaccardDistances(encodings[queries:])

    @torch.no_grad()
    def __call__(self, rows: slice) -> Tensor:
        """Return the distances of a slice of the queries, ``(n, G)`` float32, on the device of the inputs.

        They do not depend on how the queries are sliced.
        """
        numbers = np.arange(self._queries)[rows]
        device = self._distances_of.device
        with full_precision(device):
            block = self._distances_of(torch.from_numpy(numbers).to(device))[:, self._queries :]
        original = block.cpu().numpy()
        mixed = np.empty(original.shape, np.float32)
        share, starts = self._settings.lambda_, self._encodings.indptr
        for place, number in enumerate(numbers):
            own = slice(starts[number], starts[number + 1])
            jaccard = self._jaccard(self._encodings.indices[own], self._encodings.data[own])
            mixed[place] = (1 - share) * jaccard + share * self._normalised(original[place], number)
        return torch.from_numpy(mixed).to(device)

    def _normalised(
        self, distances: NDArray[np.float32], items: NDArray[np.int64] | int
    ) -> NDArray[np.float64]:
        scaled = distances / self._maxima[items]
        return scaled**2 if self._settings.squared_again else scaled
