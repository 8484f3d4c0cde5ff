"""One walk through the gallery for a group of queries."""

from functools import cached_property

import torch
from torch import Tensor

from vidreid.metrics.counting import Wanted, count_nearer
from vidreid.metrics.crowded import count_exactly, settle
from vidreid.metrics.descriptors import Descriptors
from vidreid.metrics.distances import first_copies, squared_norms
from vidreid.metrics.matches import Matches
from vidreid.metrics.pair_values import PairValues
from vidreid.metrics.sides import Preparation, Side
from vidreid.metrics.tiles import Tiles
from vidreid.metrics.visible_distances import visible_copies

_CROWD = 32  # a tile is crowded if one in so many of its distances would have to be decided singly
_PATIENCE = 8  # tiles after a crowded one that are taken for crowded too


class GallerySweep:
    """Counts, block by block, the gallery items that rank before the right answers of some queries.

    Args:
        query: float32 descriptors of the queries, on the device.
        matches: Their pairs of the same identity: positions among these queries, and gallery rows.
        values: ``(m,)`` float64, exact distances of the ``m`` matches that count.
        junk: ``(G,)`` bool, items that never count; ``None`` if there are none.
        pair_values: Exact distances.
        prepare: Makes descriptors ready for products.
        tiles: Products.
        width: Items of a gallery block.
        rows: Queries of a tile.

    Attributes:
        nearer: ``(m,)`` int64, items counted so far; those of the query's own identity never are.
        tied: ``(m,)`` bool, whether one of them was exactly as far.
    """

    def __init__(
        self,
        query: Descriptors,
        matches: Matches,
        values: Tensor,
        junk: Tensor | None,
        pair_values: PairValues,
        prepare: Preparation,
        tiles: Tiles,
        width: int,
        rows: int,
    ) -> None:
        self._query, self._junk = query, junk
        self._pair_values, self._prepare, self._tiles = pair_values, prepare, tiles
        self._side = prepare(query, torch.float32)
        self._width, self._rows = width, rows
        self._starts = range(0, len(query), rows)
        self._wanted = Wanted(matches.queries[matches.counts], matches.items[matches.counts], values)
        edges = torch.tensor([*self._starts, len(query)], device=values.device)
        self._edges = torch.searchsorted(self._wanted.rows, edges).tolist()
        # Matches are left out of the tile that they fall into: found by the number of the tile.
        cells = matches.items // width * len(self._starts) + matches.queries // rows
        self._cells, order = cells.sort()
        self._left_out = matches.queries[order] % rows, matches.items[order] % width
        self._crowded = 0
        self.nearer = torch.zeros_like(self._wanted.rows)
        self.tied = torch.zeros_like(self._wanted.rows, dtype=torch.bool)

    def add(self, block: "Block") -> None:
        """Count in one block of the gallery."""
        first = block.first // self._width * len(self._starts)
        cells = torch.arange(first, first + len(self._starts) + 1, device=self._cells.device)
        cuts = torch.searchsorted(self._cells, cells).tolist()
        for number, start in enumerate(self._starts):
            part = slice(self._edges[number], self._edges[number + 1])
            if part.start == part.stop:
                continue
            rows = slice(start, min(start + self._rows, len(self._query)))
            own = self._wanted
            wanted = Wanted(own.rows[part] - start, own.items[part], own.values[part])
            cut = slice(cuts[number], cuts[number + 1])
            left_out = self._left_out[0][cut], self._left_out[1][cut]
            nearer, tied = self._count(rows, block, wanted, left_out)
            self.nearer[part] += nearer
            self.tied[part] |= tied

    def _count(
        self, rows: slice, block: "Block", wanted: Wanted, left_out: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        query = self._query.take(rows, wanted.values.device)

        def resolve(queries: Tensor, items: Tensor) -> Tensor:
            return self._pair_values(query, block.descriptors, queries, items, wanted.values.device)

        if self._crowded == 0:
            tile = self._tiles.multiply(self._side.rows(rows), block.side)
            self._leave_out(tile.values, block.first, left_out)
            most = tile.values.numel() // _CROWD
            found = count_nearer(tile, wanted, block.first, resolve, most)
            if found is not None:
                return found
            self._crowded = _PATIENCE
        self._crowded -= 1
        distinct, place = block.distinct
        tile = self._tiles.multiply(self._prepare(query, torch.float64), block.exact_side)
        values = settle(tile, wanted, lambda queries, items: resolve(queries, distinct[items]))
        values = values[:, place]
        self._leave_out(values, block.first, left_out)
        return count_exactly(values, wanted, block.first)

    def _leave_out(self, values: Tensor, first: int, left_out: tuple[Tensor, Tensor]) -> None:
        values[left_out] = torch.inf
        if self._junk is not None:
            values.masked_fill_(self._junk[first : first + values.shape[1]], torch.inf)


class Block:
    """A block of the gallery, made ready once for all queries.

    Args:
        first: Gallery row of its first item.
        descriptors: float32 descriptors.
        prepare: Makes them ready.

    Attributes:
        side: Ready for float32 products.
    """

    def __init__(self, first: int, descriptors: Descriptors, prepare: Preparation) -> None:
        self.first = first
        self.descriptors = descriptors
        self._prepare = prepare
        self.side = prepare(descriptors, torch.float32)

    @cached_property
    def distinct(self) -> tuple[Tensor, Tensor]:
        """Rows of the block without those that repeat an earlier one, and where among them each row is."""
        features, visible = self._prepare.shown(self.descriptors), self.descriptors.visible
        norms = squared_norms(features, "gallery")
        leaders = (
            first_copies(features, norms) if visible is None else visible_copies(features, norms, visible)
        )
        if leaders is None:
            leaders = torch.arange(len(features), device=features.device)
        return leaders.unique(return_inverse=True)

    @cached_property
    def exact_side(self) -> Side:
        """The distinct rows, ready for float64 products."""
        rows = self.descriptors.take(self.distinct[0], self.descriptors.features.device)
        return self._prepare(rows, torch.float64)
