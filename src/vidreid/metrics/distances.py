"""Distances from queries to a whole gallery that do not depend on how the work is cut into blocks."""

from typing import Literal

import torch
from torch import Tensor

Distance = Literal["euclidean", "cosine"]

_TILE_ELEMENTS = 1 << 23  # 32 MB of float32 distances
LARGEST_NORM = 1e37  # squared; above it float32 distances overflow


def check_distance(distance: str) -> None:
    """Refuse a distance that does not exist.

    Raises:
        ValueError: With the choices.
    """
    if distance not in ("euclidean", "cosine"):
        raise ValueError(f"Unknown distance {distance!r}: choose euclidean or cosine.")


class NotFiniteError(ValueError):
    """Descriptors are no numbers, or too large for distances: a training has diverged."""


def squared_norms(features: Tensor, name: str) -> Tensor:
    """Squared length of every descriptor.

    Args:
        features: ``(n, D)`` float.
        name: What the features are, for the error message.

    Returns:
        ``(n,)`` float64.

    Raises:
        NotFiniteError: If a feature is not finite or so large that float32 distances overflow.
    """
    norms = squared_lengths(features)
    refuse_unusable(norms, name)
    return norms


def squared_lengths(features: Tensor) -> Tensor:
    """Squared length of every descriptor ``(n, D)``, usable or not: ``(n,)`` float64."""
    norms = torch.empty(len(features), dtype=torch.float64, device=features.device)
    # The float64 copies stay in the processor's cache.
    elements = 1 << 17 if features.device.type == "cpu" else 1 << 24
    rows = max(1, elements // max(1, features.shape[1]))
    for start in range(0, len(features), rows):
        norms[start : start + rows] = (
            features[start : start + rows].to(norms.dtype, copy=True).square_().sum(dim=1)
        )
    return norms


def refuse_unusable(norms: Tensor, name: str) -> None:
    """Refuse descriptors by their squared lengths.

    Args:
        norms: ``(n,)`` float64.
        name: What the descriptors are, for the error message.

    Raises:
        NotFiniteError: If one is not finite or so large that float32 distances overflow.
    """
    bad = ~(norms <= LARGEST_NORM)
    if bool(bad.any()):
        row = int(bad.nonzero()[0])
        state = "too large for float32 distances" if bool(torch.isfinite(norms[row])) else "not finite"
        raise NotFiniteError(
            f"{int(bad.sum())} of {len(norms)} {name} descriptors are {state}, the first in row {row}: "
            "look for a diverged training or a broken checkpoint."
        )


def first_copies(features: Tensor, norms: Tensor) -> Tensor | None:
    """For every descriptor the first row that holds exactly the same values.

    Args:
        features: ``(n, D)``.
        norms: ``(n,)`` squared lengths; only rows of equal length are compared.

    Returns:
        ``(n,)`` int64, or ``None`` if no two rows are equal.
    """
    _, group, sizes = norms.unique(return_inverse=True, return_counts=True)
    suspects = (sizes[group] > 1).nonzero().squeeze(1)
    if len(suspects) == 0:
        return None
    # Descriptors of equal length may still differ (binary codes all do): a second signature, a projection on
    # a fixed random vector, leaves few groups with different members.
    weights = torch.rand(features.shape[1], dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights = weights.to(features.device)
    signatures = torch.cat([(features[rows].double() * weights).sum(dim=1) for rows in suspects.split(1024)])
    _, group, sizes = signatures.unique(return_inverse=True, return_counts=True)
    suspects, group = suspects[sizes[group] > 1], group[sizes[group] > 1]

    own = torch.arange(len(features), device=features.device)
    leaders = own.clone()
    # Each round settles, in every group, the rows that equal the group's first unsettled row.
    while len(suspects):
        first = own.new_full((len(sizes),), len(features)).scatter_reduce_(0, group, suspects, "amin")[group]
        pairs = zip(suspects.split(1024), first.split(1024), strict=True)
        equal = torch.cat([(features[rows] == features[others]).all(dim=1) for rows, others in pairs])
        leaders[suspects[equal]] = first[equal]
        suspects, group = suspects[~equal], group[~equal]
    return None if torch.equal(leaders, own) else leaders


class GalleryDistances:
    """Squared Euclidean or cosine distances from blocks of queries to one gallery.

    The last bit of a matrix product depends on the shape of the product. So every product has the same shape:
    ``tile`` queries (the last block is filled up) by the whole gallery, where ``tile`` follows from the size
    of the gallery alone. And the distance to an exact copy of a gallery item is taken from the first copy, so
    that equal descriptors are equally far from every query. Both together make ties and near ties come out
    the same for every block size.

    Squared Euclidean distances are ``|q|^2 + |g|^2 - 2qg`` in float32, at least 0; exact for integer-valued
    descriptors while all terms stay below 2^24. Cosine distances are ``1 - qg / (|q||g|)``, and 1 to or from
    a zero descriptor.

    Args:
        gallery: ``(G, D)`` float32; not copied.
        distance: ``euclidean`` (squared) or ``cosine``.
    """

    def __init__(self, gallery: Tensor, distance: Distance = "euclidean") -> None:
        check_distance(distance)
        self.distance = distance
        self.gallery = gallery
        self.tile = tile_rows(len(gallery))
        norms = squared_norms(gallery, "gallery")
        self._copies = first_copies(gallery, norms)
        self._norms = norms.float()
        self._inverse_lengths = norms.sqrt().clamp(min=1e-12).reciprocal().float()

    def to(self, queries: Tensor) -> Tensor:
        """Distances of some queries to the gallery.

        Args:
            queries: ``(n, D)`` float32.

        Returns:
            ``(n, G)`` float32.
        """
        norms = squared_norms(queries, "query")
        if self.distance == "cosine":
            queries = queries * norms.sqrt().clamp(min=1e-12).reciprocal().float()[:, None]
        distances = queries.new_empty(len(queries), len(self.gallery))
        for start in range(0, len(queries), self.tile):
            part = queries[start : start + self.tile]
            if len(part) == self.tile:
                self._multiply(part, distances[start : start + self.tile])
            else:
                filled = torch.cat([part, part.new_zeros(self.tile - len(part), part.shape[1])])
                whole = distances.new_empty(self.tile, len(self.gallery))
                distances[start:] = self._multiply(filled, whole)[: len(part)]
        if self.distance == "euclidean":
            distances.add_(norms.float()[:, None])
        distances.clamp_(min=0)
        return distances if self._copies is None else distances.index_select(1, self._copies)

    def _multiply(self, queries: Tensor, out: Tensor) -> Tensor:
        if self.distance == "cosine":
            torch.mm(queries, self.gallery.T, out=out)
            return out.mul_(-self._inverse_lengths).add_(1)
        return torch.addmm(self._norms, queries, self.gallery.T, alpha=-2, out=out)


def tile_rows(gallery: int) -> int:
    """Rows of one product: a power of two from 16 to 512 that keeps the distances within 32 MB."""
    rows = 512
    while rows > 16 and rows * gallery > _TILE_ELEMENTS:
        rows //= 2
    return rows
