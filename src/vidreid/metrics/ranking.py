"""Exact retrieval scores, block by block: CMC, mAP and mINP of a ranked gallery."""

from collections.abc import Callable

import torch
from torch import Tensor

from vidreid.metrics.average_precision import AveragePrecision
from vidreid.metrics.descriptors import Descriptors
from vidreid.metrics.distances import Distance, check_distance
from vidreid.metrics.exact_ranks import ExactRanks
from vidreid.metrics.full_precision import full_precision
from vidreid.metrics.matches import Answers, MatchFinder
from vidreid.metrics.positions import positions
from vidreid.metrics.scores import RankingResult, RightAnswers, Unanswered, score
from vidreid.metrics.segments import Segments, check_visibility

__all__ = ["RankingResult", "Unanswered", "rank", "rank_rows"]


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
    device: torch.device | str | None = None,
) -> RankingResult:
    """Rank a gallery for every query and score the rankings.

    A gallery item is right if it shows the query's identity in another camera and in an outfit that
    ``answers`` asks for. Other items of the query's identity and those of ``junk_pid`` are ignored, neither
    right nor wrong. All else is wrong. Of equally far items the one that stands first in the gallery ranks
    first. Distances are compared as float64 has them (:class:`~vidreid.metrics.pair_values.PairValues`), so
    that the result is the same for every ``block``, number of threads and device. Pairs without a visible
    part in common are farther than all others and equally far.

    No ``Q x G`` matrix is held, and the gallery need not be in memory as a whole: see ``device``.

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
        block: Queries compared at a time with a block of the gallery: at least 64, fewer if descriptors are
            long.
        segments: How descriptors are joined; needed with visibility only.
        query_visible: ``(Q, S)`` bool, which segments show: distances then run over what shows on both sides
            (:class:`~vidreid.metrics.visible_distances.VisibleDistances`); ``None`` compares everything.
        gallery_visible: ``(G, S)`` bool.
        query_outfits: ``(Q,)`` integers, compared within an identity; needed unless ``answers`` is ``any``.
        gallery_outfits: ``(G,)``.
        answers: Which items of the query's identity in other cameras are right: ``any``, those in the query's
            outfit (``same_outfit``) or in another (``other_outfit``).
        device: Where to compute; by default where the gallery lies. A gallery that lies elsewhere, such as in
            host memory or in a mapped file, is sent block by block, once for every group of queries.

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
    check_distance(distance)
    check_visibility(query, gallery, distance, segments, query_visible, gallery_visible)
    at = gallery.device if device is None else torch.empty(0, device=device).device
    ids = [x.to(at) for x in (query_pids, query_cameras, gallery_pids, gallery_cameras)]
    worn = [None if x is None else x.to(at) for x in (query_outfits, gallery_outfits)]
    find = MatchFinder(ids[2], ids[3], junk_pid, worn[1], answers)
    junk = None if junk_pid is None else ids[2] == junk_pid
    junk = junk if junk is not None and bool(junk.any()) else None
    sides = Descriptors(query.detach(), query_visible), Descriptors(gallery.detach(), gallery_visible)
    found = []
    with full_precision(at):
        ranks = ExactRanks(*sides, distance, segments, block, at)
        for rows in ranks.groups(find.counts(ids[0])):
            matches = find(ids[0][rows], ids[1][rows], None if worn[0] is None else worn[0][rows])
            found.append(ranks.of(rows, matches, junk).shifted(rows.start))
    return score(found, len(query), average_precision, unanswered, max_rank)


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
    ranked = []
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
        tied = len(matches.queries[right][arbitrary].unique())
        ranked.append(RightAnswers(matches.queries[right].cpu(), found.cpu(), tied).shifted(start))
    return score(ranked, total, average_precision, unanswered, max_rank)


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
