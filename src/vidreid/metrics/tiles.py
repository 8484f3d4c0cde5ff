"""Tiles of the distance matrix: fast products whose largest rounding error is known."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vidreid.metrics.distances import Distance
from vidreid.metrics.segments import Segments
from vidreid.metrics.sides import Side

_PIECE = 128  # terms that a float32 product adds in one go
_EPSILON = 2.0**-53
_LARGEST = {torch.float32: 3e38, torch.float64: 1e300}  # of what was compared


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
    """

    def __init__(self, distance: Distance, segments: Segments | None) -> None:
        self._cosine = distance == "cosine"
        self._segments = segments

    def multiply(self, query: Side, gallery: Side) -> Tile:
        """Compute one tile.

        Args:
            query: ``n`` prepared queries.
            gallery: ``w`` prepared gallery items of the same type.
        """
        kind, width = query.vectors.dtype, query.vectors.shape[1]
        piece = max(1, min(_PIECE, width) if kind == torch.float32 else width)
        cuts = [slice(start, start + piece) for start in range(0, width, piece)]
        margin = self._margin(query, gallery, piece, len(cuts))
        if query.visible is None or query.segment_norms is None:
            start = (gallery.norms + gallery.extra).to(kind)
            values = start.expand(len(query.norms), -1).contiguous()
        else:
            assert gallery.visible is not None
            assert gallery.segment_norms is not None
            values = query.segment_norms @ gallery.visible.T
            values.addmm_(query.visible, gallery.segment_norms.T)
        for cut in cuts:
            values.addmm_(query.vectors[:, cut], gallery.vectors[:, cut].T, alpha=-2)
        if query.visible is None:
            return Tile(values, query.norms + query.extra, margin)
        return self._over_what_shows(values, query, gallery, margin)

    def _margin(self, query: Side, gallery: Side, piece: int, pieces: int) -> Tensor:
        """Largest error of the sums, ``(n,)`` float64."""
        kind, width = query.vectors.dtype, query.vectors.shape[1]
        unit = torch.finfo(kind).eps / 2
        reach, far = query.norms.sqrt(), gallery.norms.amax().sqrt()
        products = 2 * (piece + pieces + 4) * unit * reach * far
        norms = (pieces + 6) * unit * (reach.square() + far.square() + 2 * self._cosine)
        norms += (width + 8) * _EPSILON * (reach + far).square()
        # How far prepared vectors are from where they should be, in scaling and centring.
        moved = unit * (reach + far) + 2 * (width + 32) * _EPSILON * self._cosine
        vectors = 2 * (reach + far) * moved + moved.square()
        exact = 64 * _EPSILON * (reach + far).square()
        flushed = 8 * (width + 1) * torch.finfo(kind).tiny  # numbers below the smallest normal one
        return 1.01 * (products + norms + vectors + exact + flushed)

    def _over_what_shows(self, values: Tensor, query: Side, gallery: Side, margin: Tensor) -> Tile:
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
        largest, far = factors.amax(dim=1), gallery.norms.amax().sqrt()
        unit = torch.finfo(kind).eps / 2 + _EPSILON
        margin = largest * (margin + 3 * (count + 8) * unit * (query.norms.sqrt() + far).square())
        if kind == torch.float32:  # so unequal weights that float32 cannot hold the distances
            margin = margin.masked_fill(largest > 1e30, torch.inf)
            factors.clamp_(max=1e30)
        values.mul_(factors.to(kind)).clamp_(max=_LARGEST[kind])
        values.masked_fill_(apart, torch.finfo(kind).max)
        return Tile(values, torch.zeros_like(query.norms), margin)
