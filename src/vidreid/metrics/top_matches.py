"""The nearest gallery items of a query, under the rules of the evaluation."""

import torch
from torch import Tensor

from vidreid.metrics.distances import Distance
from vidreid.metrics.full_precision import full_precision
from vidreid.metrics.matches import Answers, MatchFinder
from vidreid.metrics.segments import Segments
from vidreid.metrics.visible_distances import PairDistances


@torch.no_grad()
def top_matches(
    query: Tensor,
    gallery: Tensor,
    query_pids: Tensor,
    gallery_pids: Tensor,
    query_cameras: Tensor,
    gallery_cameras: Tensor,
    k: int,
    *,
    distance: Distance = "euclidean",
    junk_pid: int | None = -1,
    segments: Segments | None = None,
    query_visible: Tensor | None = None,
    gallery_visible: Tensor | None = None,
    query_outfits: Tensor | None = None,
    gallery_outfits: Tensor | None = None,
    answers: Answers = "any",
) -> tuple[Tensor, Tensor]:
    """Find the ``k`` nearest gallery items of each query, ignored items left out.

    Ignored are items of the query's identity in the query's camera or in an outfit that is no answer, and
    items of ``junk_pid``, as in :func:`~vidreid.metrics.ranking.rank`; of equally far items the one that
    stands first in the gallery comes first.

    Args:
        query: ``(Q, D)``.
        gallery: ``(G, D)``.
        query_pids: ``(Q,)`` int64.
        gallery_pids: ``(G,)`` int64.
        query_cameras: ``(Q,)`` int64.
        gallery_cameras: ``(G,)`` int64.
        k: Items a query.
        distance: ``euclidean`` (squared) or ``cosine``.
        junk_pid: Identity that is left out; ``None`` leaves none out.
        segments: How descriptors are joined; needed with visibility only.
        query_visible: ``(Q, S)`` bool, which segments show, as in :func:`~vidreid.metrics.ranking.rank`.
        gallery_visible: ``(G, S)`` bool.
        query_outfits: ``(Q,)`` int64; needed unless ``answers`` is ``any``.
        gallery_outfits: ``(G,)`` int64.
        answers: Which outfits answer a query, as in :func:`~vidreid.metrics.ranking.rank`.

    Returns:
        Gallery rows ``(Q, k)`` int64 and distances ``(Q, k)`` float32, on the gallery's device. Where fewer
        than ``k`` items are left, rows are -1 and distances infinite.
    """
    device = gallery.device
    query, gallery = query.to(device).float(), gallery.float()
    rows = torch.full((len(query), k), -1, device=device)
    values = torch.full((len(query), k), torch.inf, device=device)
    gallery_pids = gallery_pids.to(device)
    query_outfits, gallery_outfits = (
        None if outfits is None else outfits.to(device) for outfits in (query_outfits, gallery_outfits)
    )
    find = MatchFinder(gallery_pids, gallery_cameras.to(device), None, gallery_outfits, answers)
    junk = None if junk_pid is None else (gallery_pids == junk_pid).nonzero().squeeze(1)
    count = min(k, len(gallery))
    with full_precision(device):
        distances_of = PairDistances(query, gallery, distance, segments, query_visible, gallery_visible)
        for start in range(0, len(query), distances_of.tile):
            part = slice(start, start + distances_of.tile)
            distances = distances_of(part)
            if junk is not None:
                distances.index_fill_(1, junk, torch.inf)
            outfits = None if query_outfits is None else query_outfits[part]
            matches = find(query_pids[part].to(device), query_cameras[part].to(device), outfits)
            ignored = ~matches.counts
            distances[matches.queries[ignored], matches.items[ignored]] = torch.inf
            nearest, order = distances.sort(dim=1, stable=True)
            values[part, :count] = nearest[:, :count]
            rows[part, :count] = order[:, :count]
    rows[values == torch.inf] = -1
    return rows, values
