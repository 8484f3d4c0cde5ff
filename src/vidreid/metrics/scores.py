"""From the ranks of right answers to the scores of a ranking."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vidreid.metrics.average_precision import AveragePrecision, query_scores

Unanswered = Literal["skip", "zero"]


@dataclass(frozen=True)
class RankingResult:
    """What a ranking is worth. All tensors are float64 on the CPU.

    Attributes:
        cmc: ``(max_rank,)``, share of queries with a right answer among the first 1, 2, ... items.
        mean_ap: Mean average precision; NaN, as all means, if no query counts.
        mean_inp: Mean inverse negative penalty.
        queries_counted: Queries that the means run over.
        queries_dropped: Queries left out because the gallery holds no right answer.
        queries_tied: Queries with a right answer exactly as far as a wrong one. The gallery's order decides
            there; many of them mean that descriptors have collapsed and the scores say little.
        average_precisions: ``(Q,)``, NaN for a dropped query.
        inverse_penalties: ``(Q,)``, inverse negative penalties, NaN for a dropped query.
        first_ranks: ``(Q,)``, rank of the first right answer, from 1; NaN where there is none.
    """

    cmc: Tensor
    mean_ap: float
    mean_inp: float
    queries_counted: int
    queries_dropped: int
    queries_tied: int
    average_precisions: Tensor
    inverse_penalties: Tensor
    first_ranks: Tensor


class RightAnswers(NamedTuple):
    """Ranks of the right answers of some queries, on the CPU.

    Attributes:
        queries: ``(M,)`` int64.
        ranks: ``(M,)`` int64 from 1, ignored items not counted.
        tied: Queries with a right answer exactly as far as a wrong one.
    """

    queries: Tensor
    ranks: Tensor
    tied: int

    def shifted(self, start: int) -> "RightAnswers":
        """Number the queries from ``start`` instead of from 0."""
        return RightAnswers(self.queries + start, self.ranks, self.tied)


def score(
    ranked: Sequence[RightAnswers],
    total: int,
    average_precision: AveragePrecision,
    unanswered: Unanswered,
    max_rank: int,
) -> RankingResult:
    """Score rankings.

    Args:
        ranked: Ranks of the right answers of disjoint groups of queries.
        total: Number of queries, answered or not.
        average_precision: ``hits`` or ``trapezoid``.
        unanswered: ``skip`` or ``zero``.
        max_rank: Length of the CMC curve.
    """
    empty = torch.empty(0, dtype=torch.int64)
    queries = torch.cat([empty, *(group.queries for group in ranked)])
    ranks = torch.cat([empty, *(group.ranks for group in ranked)])
    average_precisions, inverse_penalties, first_ranks = query_scores(
        queries, ranks, total, average_precision
    )
    answered = ~first_ranks.isnan()
    if unanswered == "zero":
        average_precisions = average_precisions.nan_to_num(0.0)
        inverse_penalties = inverse_penalties.nan_to_num(0.0)
        counted = len(answered)
    else:
        counted = int(answered.sum())
    first = first_ranks[answered]
    hits = torch.bincount(first[first <= max_rank].long(), minlength=max_rank + 1)[1:].cumsum(0).double()
    return RankingResult(
        cmc=hits / counted if counted else torch.full((max_rank,), torch.nan, dtype=torch.float64),
        mean_ap=float(average_precisions.nansum()) / counted if counted else math.nan,
        mean_inp=float(inverse_penalties.nansum()) / counted if counted else math.nan,
        queries_counted=counted,
        queries_dropped=len(answered) - counted,
        queries_tied=sum(group.tied for group in ranked),
        average_precisions=average_precisions,
        inverse_penalties=inverse_penalties,
        first_ranks=first_ranks,
    )
