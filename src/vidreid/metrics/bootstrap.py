"""How far scores would move with other people: percentile intervals from a bootstrap over identities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vidreid.metrics.ranking import RankingResult

_CHUNK_ELEMENTS = 1 << 20


@dataclass(frozen=True)
class Intervals:
    """Intervals of mean scores.

    Attributes:
        level: Share of the draws whose score lies inside.
        identities: How many identities were drawn from, and each time drawn.
        draws: Number of draws.
        seed: Of the draws.
        bounds: Lower and upper bound of ``rank1``, ..., ``mAP`` and ``mINP``.
    """

    level: float
    identities: int
    draws: int
    seed: int
    bounds: dict[str, tuple[float, float]]


def ranking_intervals(
    ranking: RankingResult,
    pids: Tensor,
    ranks: Sequence[int] = (1, 5),
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Intervals | None:
    """Intervals of rank-k, mAP and mINP over the people who are asked for, before the same gallery.

    Queries of one person succeed and fail together, so that drawing single queries would give intervals that
    are too narrow: here a draw takes as many identities as there are, with replacement, each with all its
    queries that count. What another gallery or another training would change is not in the intervals.

    Args:
        ranking: Scores of all queries.
        pids: ``(Q,)`` identities of the queries.
        ranks: Which of the CMC.
        draws: Number of draws.
        level: Share of the draws inside an interval.
        seed: Of the draws.

    Returns:
        The intervals, or ``None`` if the queries that count are of fewer than two people.

    Raises:
        ValueError: If the draws or the level make no interval.
    """
    counted = (~ranking.average_precisions.isnan()).numpy()
    owners = pids.cpu().numpy()[counted]
    identities = len(np.unique(owners))
    if identities < 2:
        return None
    first = ranking.first_ranks.numpy()  # NaN, where there is none, is not below anything
    columns = {f"rank{k}": first <= k for k in ranks}
    columns |= {"mAP": ranking.average_precisions.numpy(), "mINP": ranking.inverse_penalties.numpy()}
    values = np.stack([column[counted].astype(np.float64) for column in columns.values()], axis=1)
    bounds = percentile_intervals(values, owners, draws=draws, level=level, seed=seed)
    named = {name: (float(low), float(high)) for name, (low, high) in zip(columns, bounds, strict=True)}
    return Intervals(level, identities, draws, seed, named)


def percentile_intervals(
    values: NDArray[np.float64],
    owners: NDArray[np.integer],
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Percentile intervals of means under draws of whole clusters with replacement (Efron and Tibshirani, "An
    Introduction to the Bootstrap", 1993, ch. 13).

    Args:
        values: ``(n, K)``, K scores of each query.
        owners: ``(n,)`` the cluster, here the identity, of each query.
        draws: Number of draws.
        level: Share of the draws inside an interval.
        seed: Of the draws.

    Returns:
        ``(K, 2)`` lower and upper bounds.

    Raises:
        ValueError: If the draws or the level make no interval.
    """
    if draws < 1 or not 0 < level < 1:
        raise ValueError(
            f"An interval takes 1 draw or more and a level between 0 and 1, not {draws} and {level}."
        )
    _, cluster, sizes = np.unique(owners, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(cluster, column) for column in values.T], axis=1)
    generator = np.random.default_rng(seed)
    chunk = max(1, _CHUNK_ELEMENTS // sums.size)
    means = []
    for start in range(0, draws, chunk):
        drawn = generator.integers(len(sums), size=(min(chunk, draws - start), len(sums)))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)[:, None])
    return np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2], axis=0).T
