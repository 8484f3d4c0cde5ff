"""Which gallery items share a query's identity."""

from typing import NamedTuple

import torch
from torch import Tensor


class Matches(NamedTuple):
    """Pairs of a query and a gallery item of the same identity, ordered by query.

    Attributes:
        queries: ``(M,)`` int64.
        items: ``(M,)`` int64, gallery rows.
        counts: ``(M,)`` bool; true where the item is a right answer, false where it is ignored because the
            query's own camera saw it.
    """

    queries: Tensor
    items: Tensor
    counts: Tensor


class MatchFinder:
    """Finds the gallery items of an identity without comparing every query with every item.

    Args:
        pids: ``(G,)`` int64 identities of the gallery.
        cameras: ``(G,)`` int64.
        junk_pid: Identity whose items are no answer to anything; ``None`` if there is none.
    """

    def __init__(self, pids: Tensor, cameras: Tensor, junk_pid: int | None) -> None:
        self._sorted_pids, self._order = pids.sort(stable=True)
        self._cameras = cameras
        self._junk_pid = junk_pid

    def __call__(self, pids: Tensor, cameras: Tensor) -> Matches:
        """List the matches of some queries.

        Args:
            pids: ``(n,)`` int64.
            cameras: ``(n,)`` int64.

        Returns:
            The pairs, with queries numbered from 0.
        """
        start = torch.searchsorted(self._sorted_pids, pids)
        lengths = torch.searchsorted(self._sorted_pids, pids, right=True) - start
        if self._junk_pid is not None:
            lengths = lengths * (pids != self._junk_pid)
        queries = torch.arange(len(pids), device=pids.device).repeat_interleave(lengths)
        before = lengths.cumsum(0) - lengths
        within = torch.arange(len(queries), device=pids.device) - before[queries]
        items = self._order[start[queries] + within]
        return Matches(queries, items, self._cameras[items] != cameras[queries])
