"""Which gallery items share a query's identity."""

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

Answers = Literal["any", "same_outfit", "other_outfit"]
"""Which items of the query's identity, in another camera, are right answers: all, those that wear the query's
outfit, or those that wear another."""


def check_answers(answers: str) -> None:
    """Refuse answers that do not exist.

    Raises:
        ValueError: With the choices.
    """
    if answers not in get_args(Answers):
        raise ValueError(f"Unknown answers {answers!r}: choose any, same_outfit or other_outfit.")


class Matches(NamedTuple):
    """Pairs of a query and a gallery item of the same identity, ordered by query.

    Attributes:
        queries: ``(M,)`` int64.
        items: ``(M,)`` int64, gallery rows.
        counts: ``(M,)`` bool; true where the item is a right answer, false where it is ignored: because the
            query's own camera saw it, or because of the outfit.
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
        outfits: ``(G,)`` int64, compared within an identity; needed unless ``answers`` is ``any``.
        answers: Which outfits answer a query.

    Raises:
        ValueError: If there are no such answers, or they depend on outfits and those are not given.
    """

    def __init__(
        self,
        pids: Tensor,
        cameras: Tensor,
        junk_pid: int | None,
        outfits: Tensor | None = None,
        answers: Answers = "any",
    ) -> None:
        check_answers(answers)
        if answers != "any" and outfits is None:
            raise ValueError(f"answers={answers} depends on outfits: give those of the gallery.")
        self._sorted_pids, self._order = pids.sort(stable=True)
        self._cameras = cameras
        self._junk_pid = junk_pid
        self._outfits, self._answers = outfits, answers

    def counts(self, pids: Tensor) -> Tensor:
        """Number of matches of each query, ``(n,)`` int64, from identities ``(n,)`` alone."""
        start = torch.searchsorted(self._sorted_pids, pids)
        lengths = torch.searchsorted(self._sorted_pids, pids, right=True) - start
        return lengths if self._junk_pid is None else lengths * (pids != self._junk_pid)

    def __call__(self, pids: Tensor, cameras: Tensor, outfits: Tensor | None = None) -> Matches:
        """List the matches of some queries.

        Args:
            pids: ``(n,)`` int64.
            cameras: ``(n,)`` int64.
            outfits: ``(n,)`` int64; needed unless the answers are ``any``.

        Returns:
            The pairs, with queries numbered from 0.

        Raises:
            ValueError: If outfits are needed and not given.
        """
        start, lengths = torch.searchsorted(self._sorted_pids, pids), self.counts(pids)
        queries = torch.arange(len(pids), device=pids.device).repeat_interleave(lengths)
        before = lengths.cumsum(0) - lengths
        within = torch.arange(len(queries), device=pids.device) - before[queries]
        items = self._order[start[queries] + within]
        counts = self._cameras[items] != cameras[queries]
        if self._answers != "any":
            if outfits is None or self._outfits is None:
                raise ValueError(f"answers={self._answers} depends on outfits: give those of the queries.")
            same = self._outfits[items] == outfits[queries]
            counts &= same if self._answers == "same_outfit" else ~same
        return Matches(queries, items, counts)
