"""Exact retrieval scores, block by block: CMC, mAP and mINP of a ranked gallery."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vidreid.metrics.average_precision import AveragePrecision, query_scores
from vidreid.metrics.distances import Distance
from vidreid.metrics.full_precision import full_precision
from vidreid.metrics.matches import Answers, MatchFinder
from vidreid.metrics.positions import positions
from vidreid.metrics.segments import Segments
from vidreid.metrics.visible_distances import PairDistances

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


@torch.no_grad()
def rank(
    query: Tensor,
    gallery: Tensor,
    query_pids: Tensor,
    gallery_pids: Tensor,
    query_cameras: Tensor,
    gallery_cameras: Tensor,
    *,
    distance: Distance = "euclidean",
    average_precision: AveragePrecision = "hits",
    junk_pid: int | None = -1,
    unanswered: Unanswered = "skip",
    max_rank: int = 50,
    block: int = 512,
    segments: Segments | None = None,
    query_visible: Tensor | None = None,
    gallery_visible: Tensor | None = None,
    query_outfits: Tensor | None = None,
    gallery_outfits: Tensor | None = None,
    answers: Answers = "any",
) -> RankingResult:
    """Rank a gallery for every query and score the rankings.

    A gallery item is right if it shows the query's identity in another camera and in an outfit that
    ``answers`` asks for. Other items of the query's identity and those of ``junk_pid`` are ignored, neither
    right nor wrong. All else is wrong. Of equally far items the one that stands first in the gallery ranks
    first. The result is the same for every ``block``, and no ``Q x G`` matrix is held.

    Args:
        query: ``(Q, D)`` floats, computed with as float32.
        gallery: ``(G, D)``.
        query_pids: ``(Q,)`` integer identities.
        gallery_pids: ``(G,)``.
        query_cameras: ``(Q,)`` integers.
        gallery_cameras: ``(G,)``.
        distance: ``euclidean`` (squared, on the descriptors as they are) or ``cosine``.
        average_precision: ``hits`` or ``trapezoid``, see
            :func:`~vidreid.metrics.average_precision.query_scores`.
        junk_pid: Identity that is ignored for all queries; ``None`` counts every item.
        unanswered: What a query without a right answer does: ``skip`` leaves it out of the means, ``zero``
            counts it as zero.
        max_rank: Length of the CMC curve.
        block: Queries ranked at a time, rounded to whole tiles (see :class:`GalleryDistances`). Two blocks of
            ``block x G`` float32 distances are held.
        segments: How descriptors are joined; needed with visibility only.
        query_visible: ``(Q, S)`` bool, which segments show: distances then run over what shows on both sides
            (:class:`~vidreid.metrics.visible_distances.VisibleDistances`); ``None`` compares everything.
        gallery_visible: ``(G, S)`` bool.
        query_outfits: ``(Q,)`` integers, compared within an identity; needed unless ``answers`` is ``any``.
        gallery_outfits: ``(G,)``.
        answers: Which items of the query's identity in other cameras are right: ``any``, those in the query's
            outfit (``same_outfit``) or in another (``other_outfit``).

    Returns:
        The scores.

    Raises:
        ValueError: If sizes disagree, an option is unknown or a descriptor is not finite.
    """
    _check_options(average_precision, unanswered, max_rank, block)
    _check_sizes(query, query_pids, query_cameras, query_outfits, "query")
    _check_sizes(gallery, gallery_pids, gallery_cameras, gallery_outfits, "gallery")
    if query.shape[1] != gallery.shape[1]:
        raise ValueError(
            f"Queries have {query.shape[1]} values a descriptor, the gallery {gallery.shape[1]}."
        )
    device = gallery.device
    query, gallery = query.to(device).float(), gallery.float()
    with full_precision(device):
        distances_of = PairDistances(query, gallery, distance, segments, query_visible, gallery_visible)
        return rank_rows(
            distances_of,
            distances_of.tile * max(1, block // distances_of.tile),
            query_pids.to(device),
            gallery_pids.to(device),
            query_cameras.to(device),
            gallery_cameras.to(device),
            average_precision=average_precision,
            junk_pid=junk_pid,
            unanswered=unanswered,
            max_rank=max_rank,
            query_outfits=None if query_outfits is None else query_outfits.to(device),
            gallery_outfits=None if gallery_outfits is None else gallery_outfits.to(device),
            answers=answers,
        )


@torch.no_grad()
def rank_rows(
    rows_of: Callable[[slice], Tensor],
    step: int,
    query_pids: Tensor,
    gallery_pids: Tensor,
    query_cameras: Tensor,
    gallery_cameras: Tensor,
    *,
    average_precision: AveragePrecision = "hits",
    junk_pid: int | None = -1,
    unanswered: Unanswered = "skip",
    max_rank: int = 50,
    query_outfits: Tensor | None = None,
    gallery_outfits: Tensor | None = None,
    answers: Answers = "any",
) -> RankingResult:
    """Score rankings by distances that somebody else computes, such as those of a re-ranking.

    Args:
        rows_of: Gives the distances of a slice of the queries to the whole gallery, ``(n, G)`` float32, not
            negative; the tensor is overwritten.
        step: Queries of a slice.
        query_pids: ``(Q,)`` integers, as all others on the device of the distances.
        gallery_pids: ``(G,)``.
        query_cameras: ``(Q,)``.
        gallery_cameras: ``(G,)``.
        average_precision: As of :func:`rank`, like all that follows.
        junk_pid: Identity that is ignored for all queries.
        unanswered: What a query without a right answer does.
        max_rank: Length of the CMC curve.
        query_outfits: ``(Q,)`` integers.
        gallery_outfits: ``(G,)``.
        answers: Which items are right.

    Returns:
        The scores.
    """
    total = len(query_pids)
    find = MatchFinder(gallery_pids, gallery_cameras, junk_pid, gallery_outfits, answers)
    junk = None if junk_pid is None else (gallery_pids == junk_pid).nonzero().squeeze(1)
    queries, ranks, tied = [], [], 0
    for start in range(0, total, step):
        rows = slice(start, min(start + step, total))
        outfits = None if query_outfits is None else query_outfits[rows]
        matches = find(query_pids[rows], query_cameras[rows], outfits)
        distances = rows_of(rows)
        if junk is not None:
            distances.index_fill_(1, junk, torch.inf)
        right, ignored = matches.counts, ~matches.counts
        distances[matches.queries[ignored], matches.items[ignored]] = torch.inf
        found, arbitrary = positions(distances, matches.queries[right], matches.items[right])
        tied += len(matches.queries[right][arbitrary].unique())
        queries.append((matches.queries[right] + start).cpu())
        ranks.append(found.cpu())
    empty = torch.empty(0, dtype=torch.int64)
    scores = query_scores(torch.cat([empty, *queries]), torch.cat([empty, *ranks]), total, average_precision)
    return _summary(*scores, tied=tied, unanswered=unanswered, max_rank=max_rank)


def _summary(
    average_precisions: Tensor,
    inverse_penalties: Tensor,
    first_ranks: Tensor,
    *,
    tied: int,
    unanswered: Unanswered,
    max_rank: int,
) -> RankingResult:
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
        queries_tied=tied,
        average_precisions=average_precisions,
        inverse_penalties=inverse_penalties,
        first_ranks=first_ranks,
    )


def _check_options(average_precision: str, unanswered: str, max_rank: int, block: int) -> None:
    if average_precision not in ("hits", "trapezoid"):
        raise ValueError(f"Unknown average precision {average_precision!r}: choose hits or trapezoid.")
    if unanswered not in ("skip", "zero"):
        raise ValueError(f"Unknown treatment of unanswered queries {unanswered!r}: choose skip or zero.")
    if max_rank < 1 or block < 1:
        raise ValueError(f"max_rank ({max_rank}) and block ({block}) must be at least 1.")


def _check_sizes(features: Tensor, pids: Tensor, cameras: Tensor, outfits: Tensor | None, name: str) -> None:
    if features.ndim != 2:
        raise ValueError(f"The {name} descriptors must be (n, D), not {tuple(features.shape)}.")
    if pids.shape != features.shape[:1] or cameras.shape != features.shape[:1]:
        raise ValueError(
            f"The {name} has {len(features)} descriptors, identities of shape {tuple(pids.shape)} and "
            f"cameras of shape {tuple(cameras.shape)}: one of each is needed for every tracklet."
        )
    if outfits is not None and outfits.shape != features.shape[:1]:
        raise ValueError(
            f"The {name} has {len(features)} descriptors and outfits of shape {tuple(outfits.shape)}: one is "
            "needed for every tracklet."
        )
