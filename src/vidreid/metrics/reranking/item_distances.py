"""Distances among all items, queries first and then the gallery, a few rows at a time."""

from typing import Protocol

import torch
from torch import Tensor

from vidreid.metrics.distances import Distance
from vidreid.metrics.segments import Segments, check_visibility
from vidreid.metrics.visible_distances import PairDistances

_BLOCK_ELEMENTS = 1 << 21


class ItemDistances(Protocol):
    """Distances from some of ``N = Q + G`` items to all of them.

    Attributes:
        total: ``N``.
        tile: Rows to ask for at a time.
        device: Where the distances are.
    """

    total: int
    tile: int
    device: torch.device

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the distances from the items ``rows``, ``(n,)`` int64, to all: ``(n, N)``, at least 0."""
        ...


class DescriptorDistances:
    """Distances among the descriptors of queries and gallery.

    Args:
        query: ``(Q, D)`` floats.
        gallery: ``(G, D)``.
        distance: ``euclidean`` (squared) or ``cosine``.
        segments: How descriptors are joined; needed with visibility only.
        query_visible: ``(Q, S)`` bool, as in :class:`~vidreid.metrics.visible_distances.PairDistances`.
        gallery_visible: ``(G, S)`` bool.

    Raises:
        ValueError: If descriptors differ in length or only one side has visibility.
    """

    def __init__(
        self,
        query: Tensor,
        gallery: Tensor,
        distance: Distance = "euclidean",
        segments: Segments | None = None,
        query_visible: Tensor | None = None,
        gallery_visible: Tensor | None = None,
    ) -> None:
        check_pair(query, gallery)
        check_visibility(query, gallery, distance, segments, query_visible, gallery_visible)
        self.device = gallery.device
        items = torch.cat([query.to(self.device).float(), gallery.float()])
        visible = None
        if query_visible is not None and gallery_visible is not None:
            visible = torch.cat([query_visible.to(self.device), gallery_visible.to(self.device)])
        self._pairs = PairDistances(items, items, distance, segments, visible, visible)
        self.total = len(items)
        self.tile = self._pairs.tile

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the distances from some items to all, ``(n, N)`` float32."""
        return self._pairs(rows)


class MatrixDistances:
    """Distances that are given as matrices.

    Column ``i`` of the three matrices holds the distances from item ``i``; only where a matrix is not
    symmetric does it matter that it is the column.

    Args:
        query_gallery: ``(Q, G)`` floats.
        query_query: ``(Q, Q)``.
        gallery_gallery: ``(G, G)``.

    Raises:
        ValueError: If sizes disagree or a value is no distance. Rounding noise below 0 counts as 0.
    """

    def __init__(self, query_gallery: Tensor, query_query: Tensor, gallery_gallery: Tensor) -> None:
        forms = [tuple(matrix.shape) for matrix in (query_gallery, query_query, gallery_gallery)]
        if len(forms[0]) != 2 or forms[1:] != [(size, size) for size in forms[0]]:
            raise ValueError(
                f"Distances of the shapes {forms[0]}, {forms[1]} and {forms[2]} do not go together: give "
                "(Q, G), (Q, Q) and (G, G)."
            )
        for name, matrix in (
            ("query-gallery", query_gallery),
            ("query-query", query_query),
            ("gallery-gallery", gallery_gallery),
        ):
            if matrix.numel() and not bool(matrix.isfinite().all() & (matrix.min() >= -1e-4 * matrix.max())):
                raise ValueError(f"The {name} distances hold a value that is negative or not finite.")
        self._matrices = query_gallery, query_query, gallery_gallery
        self.device = query_gallery.device
        self.total = sum(forms[0])
        self.tile = max(1, min(512, _BLOCK_ELEMENTS // max(1, self.total)))

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the distances from some items to all, ``(n, N)`` float32."""
        between, queries, gallery = self._matrices
        asks = rows < len(queries)
        items = rows[~asks] - len(queries)
        distances = torch.empty(len(rows), self.total, device=self.device)
        distances[asks] = torch.cat([queries.T[rows[asks]], between[rows[asks]]], dim=1).float()
        distances[~asks] = torch.cat([between.T[items], gallery.T[items]], dim=1).float()
        return distances.clamp_(min=0)


def check_pair(query: Tensor, gallery: Tensor) -> None:
    """Refuse descriptors that cannot be compared.

    Raises:
        ValueError: With both shapes.
    """
    if query.ndim != 2 or gallery.ndim != 2 or query.shape[1] != gallery.shape[1]:
        raise ValueError(
            f"Descriptors of the shapes {tuple(query.shape)} and {tuple(gallery.shape)} cannot be compared: "
            "give (Q, D) and (G, D)."
        )
