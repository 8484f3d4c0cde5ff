"""Distances over the parts of a descriptor that both tracklets show."""

import torch
from torch import Tensor

from vidreid.metrics.distances import Distance, GalleryDistances, first_copies, squared_norms, tile_rows
from vidreid.metrics.segments import Segments, check_visibility


class VisibleDistances:
    """Squared Euclidean distances from blocks of queries to one gallery over what shows on both sides.

    With ``v`` the visibility and ``w`` the weights of the segments ``s``::

        d(q, g) = sum_s w_s / sum_s v_qs v_gs w_s  *  sum_s v_qs v_gs |q_s - g_s|^2

    So hidden parts add no noise, and a pair that is compared by few parts is not near for that. With all
    visible this is the plain squared distance.

    A pair without any part in common was not compared, and nothing speaks for it: it is as far as the
    query's farthest item that was compared, and at least ``|q|^2 + max |g|^2`` of the parts that show, which
    is finite and is also there where the query shows nothing that anyone shows.

    As in :class:`~vidreid.metrics.distances.GalleryDistances` all products have the same shape, and items
    that agree in values and visibility are equally far from every query, so that ties do not depend on block
    sizes. The sums over segments are products of ``(tile, S)`` and ``(S, G)`` matrices; nothing of size
    ``tile x G x S`` is held.

    Args:
        gallery: ``(G, D)`` float32; copied only if a hidden segment is not zero.
        visible: ``(G, S)`` bool.
        segments: How descriptors are joined.
    """

    def __init__(self, gallery: Tensor, visible: Tensor, segments: Segments) -> None:
        segments.check(gallery, visible)
        self.segments = segments
        self.tile = tile_rows(len(gallery))
        self.gallery = segments.hide(gallery, visible)
        self._shows = visible.float()
        norms = squared_norms(self.gallery, "gallery")
        self._norms = norms.float()
        self._segment_norms = _segment_norms(self.gallery, segments)
        self._copies = visible_copies(self.gallery, norms, visible)
        self._shares = segments.shares(gallery.device)

    def to(self, queries: Tensor, visible: Tensor) -> Tensor:
        """Distances of some queries to the gallery.

        Args:
            queries: ``(n, D)`` float32.
            visible: ``(n, S)`` bool.

        Returns:
            ``(n, G)`` float32, finite.
        """
        self.segments.check(queries, visible)
        queries = self.segments.hide(queries, visible)
        norms = squared_norms(queries, "query").float()
        facts = queries, norms, _segment_norms(queries, self.segments), visible.float()
        distances = queries.new_empty(len(queries), len(self.gallery))
        for start in range(0, len(queries), self.tile):
            block = self._multiply(*(self._filled(fact[start : start + self.tile]) for fact in facts))
            distances[start : start + self.tile] = block[: len(queries) - start]
        return distances if self._copies is None else distances.index_select(1, self._copies)

    def _multiply(self, queries: Tensor, norms: Tensor, segment_norms: Tensor, shows: Tensor) -> Tensor:
        distances = segment_norms @ self._shows.T
        distances.addmm_(shows, self._segment_norms.T)
        distances.addmm_(queries, self.gallery.T, alpha=-2)
        common = (shows * self._shares) @ self._shows.T
        apart = common == 0
        distances.clamp_(min=0).div_(common).mul_(self._shares.sum())
        distances.clamp_(max=torch.finfo(torch.float32).max)
        if bool(apart.any()):
            distances.masked_fill_(apart, 0)
            far = torch.maximum(distances.amax(dim=1), norms + self._norms.max())
            distances = torch.where(apart, far[:, None], distances)
        return distances

    def _filled(self, rows: Tensor) -> Tensor:
        missing = self.tile - len(rows)
        return rows if missing == 0 else torch.cat([rows, rows.new_zeros(missing, *rows.shape[1:])])


class PairDistances:
    """Distances from slices of the queries to the gallery, over whole descriptors or what both show.

    Args:
        query: ``(Q, D)`` float32.
        gallery: ``(G, D)`` float32.
        distance: ``euclidean`` (squared) or ``cosine``.
        segments: How descriptors are joined; needed with visibility only.
        query_visible: ``(Q, S)`` bool; ``None``, on both sides, where all always shows.
        gallery_visible: ``(G, S)`` bool.

    Raises:
        ValueError: If only one side has visibility, segments are missing, or the distance is not Euclidean.
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
        self._query = query
        self._visible = None
        check_visibility(query, gallery, distance, segments, query_visible, gallery_visible)
        if query_visible is None or gallery_visible is None or segments is None:
            self._distances = GalleryDistances(gallery, distance)
        else:
            self._visible = query_visible.to(gallery.device)
            self._distances = VisibleDistances(gallery, gallery_visible.to(gallery.device), segments)
        self.tile = self._distances.tile

    def __call__(self, rows: slice | Tensor) -> Tensor:
        """Return the distances of a slice of the queries, or of some by number, ``(n, G)`` float32."""
        if isinstance(self._distances, VisibleDistances):
            assert self._visible is not None
            return self._distances.to(self._query[rows], self._visible[rows])
        return self._distances.to(self._query[rows])


def _segment_norms(features: Tensor, segments: Segments) -> Tensor:
    parts = features.split(segments.sizes, dim=1)
    return torch.stack([squared_norms(part, "visible") for part in parts], dim=1).float()


def visible_copies(features: Tensor, norms: Tensor, visible: Tensor) -> Tensor | None:
    """For every descriptor the first row with the same values and the same visibility, as ``first_copies``.

    Args:
        features: ``(n, D)``, hidden segments zero.
        norms: ``(n,)`` squared lengths.
        visible: ``(n, S)`` bool.
    """
    leaders = first_copies(features, norms)
    if leaders is None:
        return None
    patterns, pattern = visible.unique(dim=0, return_inverse=True)
    _, group = (leaders * len(patterns) + pattern).unique(return_inverse=True)
    rows = torch.arange(len(features), device=features.device)
    first = torch.full_like(rows, len(rows)).scatter_reduce_(0, group, rows, "amin")[group]
    return None if torch.equal(first, rows) else first
