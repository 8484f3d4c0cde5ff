"""Tiles of the distance matrix: fast products whose largest rounding error is known."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vidreid.metrics.descriptors import Descriptors
from vidreid.metrics.distances import LARGEST_NORM, Distance, squared_lengths
from vidreid.metrics.segments import Segments

_PIECE = 128  # terms that a float32 product adds in one go
_EPSILON = 2.0**-53
_LONGEST = math.sqrt(LARGEST_NORM)
_LARGEST = {torch.float32: 3e38, torch.float64: 1e300}  # of what was compared


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


@dataclass(frozen=True)
class Tile:
    """Distances of some queries to some gallery items, and how wrong they can be.

    Attributes:
        values: ``(n, w)``; ``values + shift`` are distances. The type's largest number is a pair without a
            part in common, infinity an item that is left out.
        shift: ``(n,)`` float64.
        margin: ``(n,)`` float64: no distance is farther than this from the pair's exact value.
    """

    values: Tensor
    shift: Tensor
    margin: Tensor

    def bounds(self, exact: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Bounds in ``values`` around exact distances, rounded outwards.

        An item below the lower bound is nearer than the exact distance says, one above the upper is farther.

        Args:
            exact: ``(m,)`` float64, distances of :class:`~vidreid.metrics.pair_values.PairValues`.
            rows: ``(m,)`` rows of the tile that they belong to.

        Returns:
            Two times ``(m,)`` of the type of the values, finite from above.
        """
        kind = self.values.dtype
        infinity = torch.tensor(torch.inf, dtype=kind, device=self.values.device)
        top = torch.finfo(kind).max
        wanted, margin = exact - self.shift[rows], self.margin[rows]
        low = (wanted - margin).clamp(max=top).to(kind).nextafter(-infinity)
        high = (wanted + margin).clamp(max=top).to(kind).nextafter(infinity).clamp(max=top)
        return low, high


class Tiles:
    """Computes tiles by matrix products ``|q|^2 + |g|^2 - 2qg``, in float32 or float64.

    Descriptors are centred first, because the rounding error grows with their lengths and distances do not:
    post-ReLU descriptors are long and lie close together.

    **The margin.** A dot product of ``K`` terms in arithmetic of unit roundoff ``u``, summed in any order,
    with or without fused multiply-add, is wrong by at most ``K u / (1 - K u) * |q||g|`` (Higham, "Accuracy
    and Stability of Numerical Algorithms", 2002, section 3.1). Float32 products are therefore added up from
    pieces of 128 terms, so that of 2,048 terms no sum is longer than 128 + 16; the errors of the norms, of
    centring, of scaling and of the pair's own float64 value are added. This is no estimate: no pair is
    outside its margin, provided that the library multiplies in the type's precision
    (:func:`~vidreid.metrics.full_precision.full_precision` sees to it) and sums a product before it adds it
    to what was there, as BLAS does in ``C + alpha AB``.

    Args:
        distance: ``euclidean`` (squared) or ``cosine`` (doubled, see ``PairValues``).
        segments: How descriptors are joined, where they come with visibility.
        centre: ``(D,)`` float64; any vector is right, one amid the descriptors makes margins narrow.
    """

    def __init__(self, distance: Distance, segments: Segments | None, centre: Tensor) -> None:
        self._cosine = distance == "cosine"
        self._segments = segments
        self._centre = centre

    def hide(self, side: Descriptors) -> Tensor:
        """Return descriptors ``(n, D)`` with their hidden segments zero."""
        if side.visible is None or self._segments is None:
            return side.features
        return self._segments.hide(side.features, side.visible)

    def prepare(self, side: Descriptors, kind: torch.dtype) -> Side:
        """Make descriptors ready for products of a type.

        Args:
            side: float32 descriptors.
            kind: ``torch.float32`` or ``torch.float64``.
        """
        features, segments = side.features, self._segments
        extra = torch.zeros(len(features), dtype=torch.float64, device=features.device)
        if self._cosine:
            lengths = _lengths(features)
            extra += lengths == 0
            scaled = features.double() / lengths.masked_fill(lengths == 0, 1)[:, None]
            vectors = scaled.sub_(self._centre).to(kind)
            usable = (lengths <= _LONGEST).all()
            return Side(vectors, _lengths(vectors).square_(), extra, usable)
        vectors = features.to(kind) - self._centre.to(kind)
        if side.visible is None or segments is None:
            lengths = _lengths(vectors)
            usable = (lengths + self._centre.norm() <= _LONGEST).all()
            return Side(vectors, lengths.square_(), extra, usable)
        segments.hide_(vectors, side.visible)
        parts = [squared_lengths(part) for part in vectors.split(segments.sizes, dim=1)]
        norms = torch.stack(parts, dim=1)
        usable = (norms.sum(dim=1).sqrt() + self._centre.norm() <= _LONGEST).all()
        return Side(vectors, norms.sum(dim=1), extra, usable, side.visible.to(kind), norms.to(kind))

    def multiply(self, query: Side, gallery: Side) -> Tile:
        """Compute one tile.

        Args:
            query: ``n`` prepared queries.
            gallery: ``w`` prepared gallery items of the same type.
        """
        kind, width = query.vectors.dtype, query.vectors.shape[1]
        piece = _PIECE if kind == torch.float32 else max(1, width)
        cuts = [slice(start, start + piece) for start in range(0, width, piece)]
        unit = torch.finfo(kind).eps / 2
        reach, far = query.norms.sqrt(), gallery.norms.amax().sqrt()
        both = (reach + far).square()
        # Each addend of a margin: the products; norms in float64; centring and scaling; the pair's own value.
        terms, sums = piece + len(cuts) + 4, len(cuts) + 6
        margin = 2 * terms * unit * reach * far
        margin += sums * unit * (reach.square() + far.square() + 2 * self._cosine)
        margin += (width + 8) * _EPSILON * both
        wrong = unit * (reach + far) + 2 * (width + 32) * _EPSILON * self._cosine
        margin += 2 * (reach + far) * wrong + wrong.square()
        margin += 64 * _EPSILON * both
        # Numbers may be flushed to zero below the smallest normal one.
        margin += 8 * (width + 1) * torch.finfo(kind).tiny
        if query.visible is None:
            start = (gallery.norms + gallery.extra).to(kind)
            values = start.expand(len(reach), -1).contiguous()
        else:
            values = query.segment_norms @ gallery.visible.T  # pyright: ignore
            values.addmm_(query.visible, gallery.segment_norms.T)  # pyright: ignore
        for cut in cuts:
            values.addmm_(query.vectors[:, cut], gallery.vectors[:, cut].T, alpha=-2)
        if query.visible is None:
            return Tile(values, query.norms + query.extra, 1.01 * margin)
        return self._over_what_shows(values, query, gallery, margin, both)

    def _over_what_shows(
        self, values: Tensor, query: Side, gallery: Side, margin: Tensor, both: Tensor
    ) -> Tile:
        """Scale sums over the parts that both show to all parts."""
        assert self._segments is not None
        assert query.visible is not None
        assert gallery.visible is not None
        kind, count = values.dtype, len(self._segments.sizes)
        shares = torch.tensor(self._segments.weights or self._segments.sizes, dtype=torch.float64)
        shares = (shares / shares.sum()).to(values.device)
        common = (query.visible.double() * shares) @ gallery.visible.double().T
        apart = query.visible @ gallery.visible.T == 0
        factors = common.masked_fill_(apart, 1).reciprocal_()
        largest = factors.amax(dim=1)
        unit = torch.finfo(kind).eps / 2
        margin = largest * (margin + 2 * (count + 8) * (unit + _EPSILON) * both)
        if kind == torch.float32:  # so unequal weights that float32 cannot hold the distances
            margin = margin.masked_fill(largest > 1e30, torch.inf)
            factors.clamp_(max=1e30)
        values.mul_(factors.to(kind)).clamp_(max=_LARGEST[kind])
        values.masked_fill_(apart, torch.finfo(kind).max)
        return Tile(values, torch.zeros_like(query.norms), 1.01 * margin)


def _lengths(vectors: Tensor) -> Tensor:
    return squared_lengths(vectors).sqrt_()
