"""Exact ranks of all right answers: their distances first, then what is nearer, block by block."""

from collections.abc import Iterator

import torch
from torch import Tensor

from vidreid.metrics.centre import centre_of
from vidreid.metrics.descriptors import Descriptors, check_usable
from vidreid.metrics.distances import Distance
from vidreid.metrics.gallery_blocks import GalleryBlocks
from vidreid.metrics.gallery_sweep import Block, GallerySweep
from vidreid.metrics.matches import Matches
from vidreid.metrics.pair_values import PairValues
from vidreid.metrics.scores import RightAnswers
from vidreid.metrics.segments import Segments
from vidreid.metrics.sides import Preparation
from vidreid.metrics.tiles import Tiles

_WIDTH = {"cpu": 2048, "cuda": 8192}  # gallery items of a tile
_FEWEST_ROWS = 64  # queries of a tile where more could be taken: fewer make products slow
_BLOCK_ELEMENTS = {"cpu": 1 << 21, "cuda": 1 << 26}  # values of a block of descriptors, at most
_GROUP_ELEMENTS = {"cpu": 1 << 23, "cuda": 1 << 28}  # values of the queries of one walk through the gallery
_GROUP_MATCHES = {"cpu": 1 << 22, "cuda": 1 << 25}  # and their pairs of the same identity


class ExactRanks:
    """Ranks by ``(distance, gallery row)`` as float64 has it, whatever the sizes of blocks and the device.

    The distances of the right answers are computed in float64 (``PairValues``). Then tiles of float32
    distances pass by (``Tiles``): what lies outside the margin of their error is counted, what lies within is
    decided by its own float64 distance. The rank of a right answer is its place among those of its query plus
    the number of wrong items before it. Beside descriptors, tiles and a copy of a group of queries, memory
    goes with ``Q + G`` and with the right answers of a group.

    Args:
        query: All queries.
        gallery: The gallery, on any device or mapped from a file.
        distance: ``euclidean`` (squared) or ``cosine``.
        segments: How descriptors are joined, where they come with visibility.
        rows: Queries of a tile, about.
        device: Where to compute.

    Raises:
        ValueError: If a descriptor is not finite or too large.
    """

    def __init__(
        self,
        query: Descriptors,
        gallery: Descriptors,
        distance: Distance,
        segments: Segments | None,
        rows: int,
        device: torch.device,
    ) -> None:
        check_usable(query, segments, "query")
        self._query, self._gallery = query, gallery
        self._segments, self._device = segments, device
        self._pair_values = PairValues(distance, segments)
        centre = centre_of(gallery, distance, segments, device)
        self._prepare = Preparation(distance, segments, centre)
        self._tiles = Tiles(distance, segments)
        width = max(1, query.width)
        kind = "cpu" if device.type == "cpu" else "cuda"
        fitting = max(1, _BLOCK_ELEMENTS[kind] // width)
        self._rows = min(max(rows, _FEWEST_ROWS), fitting)
        self._width = min(_WIDTH[kind], fitting)
        self._step = max(self._rows, _GROUP_ELEMENTS[kind] // width)
        self._most = _GROUP_MATCHES[kind]
        self._checked = False

    def groups(self, matches: Tensor) -> Iterator[slice]:
        """Cut the queries into groups that walk through the gallery together.

        Args:
            matches: ``(Q,)`` int64, how many gallery items share a query's identity.

        Yields:
            Slices of the queries.
        """
        sums, start = matches.cumsum(0).cpu(), 0
        while start < len(sums):
            before = int(sums[start - 1]) if start else 0
            fitting = int(torch.searchsorted(sums, before + self._most, right=True))
            stop = max(start + 1, min(fitting, start + self._step))
            yield slice(start, stop)
            start = stop

    def of(self, rows: slice, matches: Matches, junk: Tensor | None) -> RightAnswers:
        """Rank the right answers of a group of queries.

        Args:
            rows: The queries, one of :meth:`groups`.
            matches: Their pairs of the same identity, queries numbered within the slice.
            junk: ``(G,)`` bool, items that never count; ``None`` if there are none.

        Returns:
            Their ranks, queries numbered within the slice.

        Raises:
            ValueError: If a gallery descriptor is not finite or too large.
        """
        query = self._query.take(rows, self._device)
        queries, items = matches.queries[matches.counts], matches.items[matches.counts]
        values = self._pair_values(query, self._gallery, queries, items, self._device)
        sweep = GallerySweep(
            query,
            matches,
            values,
            junk,
            self._pair_values,
            self._prepare,
            self._tiles,
            self._width,
            self._rows,
        )
        for first, descriptors in GalleryBlocks(self._gallery, self._width, self._device):
            block = Block(first, descriptors, self._prepare)
            if not self._checked and not bool(block.side.usable):
                check_usable(self._gallery, self._segments, "gallery")
                self._checked = True
            sweep.add(block)
        tied = len(queries[sweep.tied].unique())
        ranks = sweep.nearer + _places(queries, values)
        return RightAnswers(queries.cpu(), ranks.cpu(), tied)


def _places(queries: Tensor, values: Tensor) -> Tensor:
    """Place of each right answer among those of its query, from 1; they come ordered by query and row."""
    order = values.argsort(stable=True)
    order = order[queries[order].argsort(stable=True)]
    counts = torch.bincount(queries)
    places = torch.empty_like(queries)
    places[order] = torch.arange(1, len(queries) + 1, device=queries.device)
    return places - (counts.cumsum(0) - counts)[queries]
