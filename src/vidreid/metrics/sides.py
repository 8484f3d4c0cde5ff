"""Descriptors made ready for products: centred, so that rounding does little harm."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vidreid.metrics.descriptors import Descriptors
from vidreid.metrics.distances import LARGEST_NORM, Distance, squared_lengths
from vidreid.metrics.segments import Segments


@dataclass(frozen=True)
class Side:
    """Descriptors ready for products.

    Attributes:
        vectors: ``(n, D)`` of the product's type: scaled to length 1 for the cosine, centred, hidden parts 0.
        norms: ``(n,)`` float64, squared lengths of the vectors.
        extra: ``(n,)`` float64, what a zero descriptor adds to make its doubled cosine distances 2, else 0.
        usable: Whether all descriptors surely are finite and not too large; ``()`` bool.
        visible: ``(n, S)`` of the product's type, or ``None``.
        segment_norms: ``(n, S)`` of the product's type, or ``None``.
    """

    vectors: Tensor
    norms: Tensor
    extra: Tensor
    usable: Tensor
    visible: Tensor | None = None
    segment_norms: Tensor | None = None

    def rows(self, rows: slice) -> "Side":
        """Return a slice of the descriptors."""
        visible = None if self.visible is None else self.visible[rows]
        segment_norms = None if self.segment_norms is None else self.segment_norms[rows]
        return Side(
            self.vectors[rows], self.norms[rows], self.extra[rows], self.usable, visible, segment_norms
        )


class Preparation:
    """Makes descriptors ready for products.

    They are centred, because the rounding error of a product grows with the lengths of descriptors and their
    distances do not: post-ReLU descriptors are long and lie close together.

    Args:
        distance: For ``cosine`` descriptors are scaled to length 1 first.
        segments: How descriptors are joined, where they come with visibility.
        centre: ``(D,)`` float64; any vector is right, one amid the descriptors makes margins narrow.
    """

    def __init__(self, distance: Distance, segments: Segments | None, centre: Tensor) -> None:
        self._cosine = distance == "cosine"
        self._segments = segments
        self._centre = centre

    def shown(self, side: Descriptors) -> Tensor:
        """Return descriptors ``(n, D)`` with their hidden segments zero."""
        return side.shown(self._segments)

    def __call__(self, side: Descriptors, kind: torch.dtype) -> Side:
        """Make descriptors ready for products of a type.

        Args:
            side: float32 descriptors.
            kind: ``torch.float32`` or ``torch.float64``.
        """
        features, segments = side.features, self._segments
        extra = torch.zeros(len(features), dtype=torch.float64, device=features.device)
        if self._cosine:
            lengths = squared_lengths(features).sqrt_()
            extra += lengths == 0
            scaled = features.double() / lengths.masked_fill(lengths == 0, 1)[:, None]
            vectors = scaled.sub_(self._centre).to(kind)
            usable = (lengths <= math.sqrt(LARGEST_NORM)).all()
            return Side(vectors, squared_lengths(vectors), extra, usable)
        vectors = features.to(kind) - self._centre.to(kind)
        if side.visible is None or segments is None:
            norms = squared_lengths(vectors)
            return Side(vectors, norms, extra, self._usable(norms))
        segments.hide_(vectors, side.visible)
        parts = [squared_lengths(part) for part in vectors.split(segments.sizes, dim=1)]
        parts = torch.stack(parts, dim=1)
        norms = parts.sum(dim=1)
        return Side(vectors, norms, extra, self._usable(norms), side.visible.to(kind), parts.to(kind))

    def _usable(self, norms: Tensor) -> Tensor:
        # No descriptor is longer than what is left of it without the centre, and the centre.
        return (norms.sqrt() + self._centre.norm() <= math.sqrt(LARGEST_NORM)).all()
