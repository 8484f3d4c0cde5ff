"""From the ranks of the right answers to average precision, inverse negative penalty and first hits."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

AveragePrecision = Literal["hits", "trapezoid"]


class QueryScores(NamedTuple):
    """Scores of every query, float64; NaN for a query without a right answer.

    Attributes:
        average_precisions: ``(Q,)``.
        inverse_penalties: ``(Q,)``, number of right answers over the rank of the last one (mINP is their
            mean; Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook", TPAMI 2021).
        first_ranks: ``(Q,)``, rank of the first right answer, from 1.
    """

    average_precisions: Tensor
    inverse_penalties: Tensor
    first_ranks: Tensor


def query_scores(
    queries: Tensor, ranks: Tensor, total: int, average_precision: AveragePrecision = "hits"
) -> QueryScores:
    """Score queries from the ranks of their right answers.

    ``hits``: the mean of the precision at each hit, what nearly all Python evaluators call AP. ``trapezoid``:
    the area of the official MARS and Market-1501 evaluation, which averages at each hit the precision there
    and one rank before (1 before the first rank); it is lower.

    Args:
        queries: ``(M,)`` int64, the query of each right answer.
        ranks: ``(M,)`` int64 ranks from 1, ignored items not counted.
        total: Number of queries ``Q``.
        average_precision: ``hits`` or ``trapezoid``.
    """
    order = (queries * (int(ranks.max()) + 1 if len(ranks) else 1) + ranks).argsort()
    queries, rank = queries[order], ranks[order].double()
    counts = torch.bincount(queries, minlength=total)
    stops = counts.cumsum(0)
    hit = torch.arange(1, len(queries) + 1) - (stops - counts)[queries]
    precision = hit / rank
    if average_precision == "trapezoid":
        before = torch.where(rank > 1, (hit - 1) / (rank - 1).clamp(min=1), 1.0)
        precision = (precision + before) / 2
    answered = counts > 0
    nan = torch.full((total,), torch.nan, dtype=torch.float64)
    sums = torch.zeros(total, dtype=torch.float64).index_add_(0, queries, precision)
    last = rank[(stops - 1)[answered]]
    first = rank[(stops - counts)[answered]]
    return QueryScores(
        average_precisions=nan.clone().masked_scatter_(answered, (sums / counts)[answered]),
        inverse_penalties=nan.clone().masked_scatter_(answered, counts[answered] / last),
        first_ranks=nan.clone().masked_scatter_(answered, first),
    )
