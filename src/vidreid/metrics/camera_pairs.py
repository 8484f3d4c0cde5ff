"""Scores between single cameras: which pair of views a system cannot bridge."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vidreid.metrics.average_precision import AveragePrecision
from vidreid.metrics.distances import Distance
from vidreid.metrics.matches import Answers
from vidreid.metrics.ranking import rank
from vidreid.metrics.tracklets import TrackletDescriptors


@dataclass(frozen=True)
class CameraPairs:
    """Matrices of ``A`` cameras of queries by ``B`` cameras of the gallery.

    Attributes:
        query_cameras: ``A`` camera numbers, ascending.
        gallery_cameras: ``B`` camera numbers, ascending.
        rank1: ``(A, B)`` float64; NaN where no query counts.
        mean_ap: The same of mAP.
        queries: ``(A, B)`` int64, queries that count: those of the camera with a right answer in the other.
    """

    query_cameras: list[int]
    gallery_cameras: list[int]
    rank1: Tensor
    mean_ap: Tensor
    queries: Tensor


def camera_pairs(
    query: TrackletDescriptors,
    gallery: TrackletDescriptors,
    *,
    distance: Distance = "euclidean",
    average_precision: AveragePrecision = "hits",
    junk_pid: int | None = -1,
    answers: Answers = "any",
    block: int = 512,
) -> CameraPairs:
    """Rank, for each pair of cameras, the tracklets of one for the queries of the other.

    The gallery is cut down to one camera, strangers and distractors in it included, so numbers are higher
    than those before the whole gallery. A query without a right answer there is left out. Between a camera
    and itself there is no right answer, and no number.

    Each pair of tracklets is compared once, whatever the number of cameras: the gallery of a camera is ranked
    for all queries, and these are then told apart.

    Args:
        query: Descriptors of the queries.
        gallery: Of the gallery.
        distance: As of :func:`~vidreid.metrics.ranking.rank`, like all that follows.
        average_precision: ``hits`` or ``trapezoid``.
        junk_pid: Identity that is ignored.
        answers: Which outfits make a right answer.
        block: Queries at a time.
    """
    query_cameras, gallery_cameras = (side.cameras.unique().tolist() for side in (query, gallery))
    members = [(query.cameras == camera).cpu() for camera in query_cameras]
    shape = len(query_cameras), len(gallery_cameras)
    rank1, mean_ap = (torch.full(shape, torch.nan, dtype=torch.float64) for _ in range(2))
    queries = torch.zeros(shape, dtype=torch.int64)
    for column, camera in enumerate(gallery_cameras):
        seen = gallery.where(gallery.cameras == camera)
        result = rank(
            query.features,
            seen.features,
            query.pids,
            seen.pids,
            query.cameras,
            seen.cameras,
            distance=distance,
            average_precision=average_precision,
            junk_pid=junk_pid,
            block=block,
            segments=query.segments,
            query_visible=query.visible,
            gallery_visible=seen.visible,
            query_outfits=query.outfits,
            gallery_outfits=seen.outfits,
            answers=answers,
        )
        for row, member in enumerate(members):
            counted = member & ~result.average_precisions.isnan()
            queries[row, column] = counted.sum()
            rank1[row, column] = (result.first_ranks[counted] == 1).double().mean()
            mean_ap[row, column] = result.average_precisions[counted].mean()
    return CameraPairs(query_cameras, gallery_cameras, rank1, mean_ap, queries)
