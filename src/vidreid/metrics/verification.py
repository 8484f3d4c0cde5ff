"""How well a distance tells whether two tracklets show the same person: ROC, thresholds, equal errors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidreid.metrics.distances import Distance
from vidreid.metrics.full_precision import full_precision
from vidreid.metrics.matches import Answers, Matches, MatchFinder
from vidreid.metrics.positions import sorted_rows
from vidreid.metrics.tracklets import TrackletDescriptors
from vidreid.metrics.visible_distances import PairDistances

FALSE_POSITIVE_RATES = (1e-4, 1e-3, 1e-2, 1e-1)


@dataclass(frozen=True)
class OperatingPoint:
    """What becomes of the pairs if those with ``distance <= threshold`` are taken for the same person.

    Attributes:
        threshold: The distance of a right pair; ``None`` where nothing may be accepted.
        tpr: Share of the right pairs that are accepted (true positive rate).
        fpr: Share of the wrong pairs that are (false positive rate).
        right_accepted: Number of right pairs accepted.
        wrong_accepted: Number of wrong pairs accepted.
    """

    threshold: float | None
    tpr: float
    fpr: float
    right_accepted: int
    wrong_accepted: int


@dataclass(frozen=True)
class Verification:
    """How right and wrong pairs lie on the scale of distances.

    Attributes:
        right_pairs: Number of pairs of a query and a right answer.
        wrong_pairs: Number of pairs of a query and an item of somebody else.
        auc: Area under the ROC: the probability that a right pair is nearer than a wrong one, ties half.
        equal_error_rate: Where the ROC, with its points joined by lines, has as many errors of either kind.
        equal_error: Of the right pairs' distances the threshold at which the two rates differ least.
        at_fpr: For each false positive rate asked for, the point with the most right pairs accepted at which
            the rate is not exceeded.
    """

    right_pairs: int
    wrong_pairs: int
    auc: float
    equal_error_rate: float
    equal_error: OperatingPoint
    at_fpr: dict[float, OperatingPoint]


@torch.no_grad()
def verify(
    query: TrackletDescriptors,
    gallery: TrackletDescriptors,
    *,
    distance: Distance = "euclidean",
    junk_pid: int | None = -1,
    answers: Answers = "any",
    rates: Sequence[float] = FALSE_POSITIVE_RATES,
    block: int = 512,
) -> Verification | None:
    """Tell right pairs from wrong ones by a threshold on their distance, exactly.

    A pair is a query and a gallery item. It is right if the item is a right answer
    (:func:`~vidreid.metrics.ranking.rank`) and wrong if it shows another identity. Left out are junk and all
    other items of the query's identity: those of its own camera, and those in an outfit that is no answer.
    The pairs of all queries are thrown together, so a query with many right answers counts as often.

    Thresholds are on ``|q - g|`` (not squared) under ``euclidean``, so compare with ``torch.dist(q, g)``; on
    ``1 - cos(q, g)`` under ``cosine``. With visible parts it is the root of the scaled sum over what both
    show (:class:`~vidreid.metrics.visible_distances.VisibleDistances`). A pair is accepted if its distance is
    at most the threshold. Descriptors must be made as here: same normalisation and pooling of clips.

    Exact, and no ``Q x G`` matrix is held: a threshold that moves between two neighbouring distances of right
    pairs only adds wrong pairs. So the right pairs' distances are collected first, and the wrong ones are
    counted between them block by block.

    Args:
        query: Descriptors of the queries.
        gallery: Of the gallery.
        distance: ``euclidean`` or ``cosine``.
        junk_pid: Identity that is in no pair; ``None`` leaves none out.
        answers: Which outfits make a right answer.
        rates: False positive rates to find thresholds for.
        block: Queries at a time, rounded to whole tiles.

    Returns:
        The rates and thresholds, or ``None`` if there is no right or no wrong pair.

    Raises:
        ValueError: If a rate is not between 0 and 1, an option is unknown or a descriptor is not finite.
    """
    if not all(0 <= rate <= 1 for rate in rates):
        raise ValueError(f"False positive rates are shares from 0 to 1, not {list(rates)}.")
    with full_precision(gallery.features.device):
        pairs = _Pairs(query, gallery, distance, junk_pid, answers, block)
        right = np.sort(np.concatenate([np.empty(0, np.float32), *pairs.right()]))
        distinct, copies = np.unique(right, return_counts=True)
        below, upto, wrong = np.zeros(len(distinct), np.int64), np.zeros(len(distinct), np.int64), 0
        for ordered in pairs.wrong() if len(right) else ():
            wrong += len(ordered)
            below += np.searchsorted(ordered, distinct, "left")
            upto += np.searchsorted(ordered, distinct, "right")
    if wrong == 0:
        return None
    return _summary(_scale(distinct, distance), copies, below, upto, wrong, rates)


class _Pairs:
    """Distances of the pairs of each kind, of one block of queries after the other."""

    def __init__(
        self,
        query: TrackletDescriptors,
        gallery: TrackletDescriptors,
        distance: Distance,
        junk_pid: int | None,
        answers: Answers,
        block: int,
    ) -> None:
        self.query = query
        self.find = MatchFinder(gallery.pids, gallery.cameras, junk_pid, gallery.outfits, answers)
        # Junk stays in: how far an item without a common part is depends on the whole gallery.
        self.distances = PairDistances(
            query.features, gallery.features, distance, query.segments, query.visible, gallery.visible
        )
        self.step = self.distances.tile * max(1, block // self.distances.tile)
        junk = [torch.zeros_like(side.pids) if junk_pid is None else side.pids == junk_pid
                for side in (query, gallery)]  # fmt: skip
        self.junk_queries, self.junk_items = (rows.nonzero().squeeze(1) for rows in junk)

    def right(self) -> Iterator[NDArray[np.float32]]:
        for _, distances, matches in self._blocks():
            yield distances[matches.queries[matches.counts], matches.items[matches.counts]].cpu().numpy()

    def wrong(self) -> Iterator[NDArray[np.float32]]:
        """Ascending distances of the wrong pairs of each block."""
        for start, distances, matches in self._blocks():
            distances[matches.queries, matches.items] = torch.inf
            distances.index_fill_(1, self.junk_items, torch.inf)
            rows = self.junk_queries - start
            distances.index_fill_(0, rows[(rows >= 0) & (rows < len(distances))], torch.inf)
            yield _ascending(distances)

    def _blocks(self) -> Iterator[tuple[int, Tensor, Matches]]:
        for start in range(0, len(self.query.pids), self.step):
            rows = slice(start, min(start + self.step, len(self.query.pids)))
            outfits = None if self.query.outfits is None else self.query.outfits[rows]
            matches = self.find(self.query.pids[rows], self.query.cameras[rows], outfits)
            yield start, self.distances(rows), matches


def _ascending(distances: Tensor) -> NDArray[np.float32]:
    """Finite values of a matrix in order."""
    ordered = sorted_rows(distances.reshape(1, -1))[0].cpu().numpy()
    return ordered[: np.searchsorted(ordered, np.float32(np.inf))]


def _scale(distances: NDArray[np.float32], distance: Distance) -> NDArray[np.float64]:
    # Roots in float64 keep apart what float32 keeps apart.
    values = distances.astype(np.float64)
    return np.sqrt(values) if distance == "euclidean" else values


def _summary(
    thresholds: NDArray[np.float64],
    copies: NDArray[np.int64],
    below: NDArray[np.int64],
    upto: NDArray[np.int64],
    wrong: int,
    rates: Sequence[float],
) -> Verification:
    """Read the ROC.

    Args:
        thresholds: ``(K,)`` distinct distances of right pairs, ascending.
        copies: ``(K,)`` right pairs at each.
        below: ``(K,)`` wrong pairs that are nearer.
        upto: ``(K,)`` wrong pairs that are nearer or as near.
        wrong: Wrong pairs in all.
        rates: False positive rates asked for.
    """
    accepted = copies.cumsum()
    right = int(accepted[-1])
    fpr, tpr = upto / wrong, accepted / right

    def point(place: int) -> OperatingPoint:
        if place < 0:
            return OperatingPoint(None, 0.0, 0.0, 0, 0)
        rate = float(tpr[place]), float(fpr[place])
        return OperatingPoint(float(thresholds[place]), *rate, int(accepted[place]), int(upto[place]))

    return Verification(
        right_pairs=right,
        wrong_pairs=wrong,
        auc=1 - float((copies * ((below + upto) / (2 * wrong))).sum()) / right,
        equal_error_rate=_equal_error_rate(accepted - copies, accepted, below, upto, right, wrong),
        equal_error=point(int(np.abs(fpr - (1 - tpr)).argmin())),
        at_fpr={rate: point(int(np.searchsorted(fpr, rate, "right")) - 1) for rate in rates},
    )


def _equal_error_rate(
    before: NDArray[np.int64],
    accepted: NDArray[np.int64],
    below: NDArray[np.int64],
    upto: NDArray[np.int64],
    right: int,
    wrong: int,
) -> float:
    """Follow the ROC to where false positives and false negatives are equally many, as shares.

    Its corners are, for each distance of right pairs, what is accepted just below it and at it.
    """
    excess_below = below / wrong + before / right - 1
    excess_upto = upto / wrong + accepted / right - 1
    place = int((excess_upto >= 0).argmax())  # at the last distance all right pairs are accepted
    if excess_below[place] >= 0:  # passed on the way here, where only wrong pairs were added
        return float(1 - before[place] / right)
    share = -excess_below[place] / (excess_upto[place] - excess_below[place])
    return float((below[place] + share * (upto[place] - below[place])) / wrong)
