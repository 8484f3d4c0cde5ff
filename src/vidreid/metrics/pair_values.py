"""Distances of single pairs in float64: what decides every ranking."""

import torch
from torch import Tensor

from vidreid.metrics.descriptors import Descriptors
from vidreid.metrics.distances import Distance
from vidreid.metrics.segments import Segments

_CHUNK_ELEMENTS = {"cpu": 1 << 17, "cuda": 1 << 24}  # values at a time: the cache of a processor

UNCOMPARED = torch.finfo(torch.float64).max
"""Value of a pair without a visible part in common: behind everything that was compared."""


class PairValues:
    """Distances of pairs of a query and a gallery item.

    The value of a pair follows from its two descriptors alone: differences, products and sums are single
    float64 operations in a fixed order, so that the bits are the same in whatever company a pair is computed,
    with any number of threads and on any device. Equal descriptors are equally far. Values are

    - Euclidean: ``sum (q - g)^2``;
    - cosine: twice the cosine distance, as ``sum (q / |q| - g / |g|)^2``, which keeps its digits where
      ``2 - 2 qg / (|q||g|)`` loses them; 2 to or from a zero descriptor;
    - over visible segments: the formula of :class:`~vidreid.metrics.visible_distances.VisibleDistances`, and
      ``UNCOMPARED`` for a pair without a part in common.

    Args:
        distance: ``euclidean`` or ``cosine``.
        segments: How descriptors are joined, where they come with visibility.
    """

    def __init__(self, distance: Distance, segments: Segments | None = None) -> None:
        self._distance = distance
        self._segments = segments

    def __call__(
        self,
        query: Descriptors,
        gallery: Descriptors,
        query_rows: Tensor,
        gallery_rows: Tensor,
        device: torch.device,
    ) -> Tensor:
        """Compute the values of some pairs.

        Args:
            query: Descriptors of queries, on any device.
            gallery: Descriptors of the gallery, on any device.
            query_rows: ``(n,)`` int64.
            gallery_rows: ``(n,)`` int64.
            device: Where to compute.

        Returns:
            ``(n,)`` float64 there.
        """
        values = torch.empty(len(query_rows), dtype=torch.float64, device=device)
        rows = max(1, _CHUNK_ELEMENTS.get(device.type, 1 << 22) // max(1, query.width))
        for start in range(0, len(query_rows), rows):
            part = slice(start, start + rows)
            sides = query.take(query_rows[part], device), gallery.take(gallery_rows[part], device)
            values[part] = self._values(*sides)
        return values

    def _values(self, query: Descriptors, gallery: Descriptors) -> Tensor:
        left, right = query.features.double(), gallery.features
        if self._distance == "cosine":
            right = right.double()
            lengths = [sum_by_halves(side.square()).sqrt() for side in (left, right)]
            for side, length in zip((left, right), lengths, strict=True):
                side.div_(length.masked_fill(length == 0, 1)[:, None])
            values = sum_by_halves(left.sub_(right).square_())
            return values.masked_fill_((lengths[0] == 0) | (lengths[1] == 0), 2)
        squared = left.sub_(right).square_()
        if query.visible is None or gallery.visible is None or self._segments is None:
            return sum_by_halves(squared)
        total, shown = squared.new_zeros(2, len(squared))
        weights = self._segments.weights or self._segments.sizes
        parts = zip(squared.split(self._segments.sizes, dim=1), weights, strict=True)
        for number, (part, weight) in enumerate(parts):
            both = query.visible[:, number] & gallery.visible[:, number]
            total += torch.where(both, sum_by_halves(part), 0.0)
            shown += both * float(weight)
        return torch.where(shown > 0, total * float(sum(weights)) / shown, UNCOMPARED)


def sum_by_halves(values: Tensor) -> Tensor:
    """Sum each row of ``(n, D)`` by adding its second half to its first until one value is left.

    Unlike a library's sum, the order is the same for every number of rows, of threads and device; and the
    rounding error is that of ``log2 D`` additions. The values are overwritten.
    """
    width = values.shape[1]
    if width == 0:
        return values.new_zeros(len(values))
    while width > 1:
        half = (width + 1) // 2
        values[:, : width - half] += values[:, half:width]
        width = half
    return values[:, 0]
