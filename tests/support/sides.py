"""Queries and gallery as the metrics take them, from the random problems of the slow evaluator."""

import numpy as np
import torch

from metrics.slow_evaluator import random_outfits, random_problem, slow_visible_distances
from vidreid.metrics.segments import Segments
from vidreid.metrics.tracklets import GALLERY, QUERY, TrackletDescriptors

SIZES, WEIGHTS = (3, 1, 2), (2.0, 1.5, 4.0)


def sides(seed, visible=False, **options):
    """Descriptors of queries and gallery with outfits, and the problem they were made from."""
    problem = random_problem(seed, **options)
    outfits = random_outfits(problem, seed)
    made = []
    for side, role in enumerate((QUERY, GALLERY)):
        columns = problem[side], problem[2 + side], problem[4 + side], outfits[side]
        features, pids, cameras, worn = (torch.from_numpy(np.asarray(column)) for column in columns)
        features = (64 * features).round() / 64  # whose squared distances float32 holds exactly
        shows = torch.rand(len(pids), 3, generator=torch.Generator().manual_seed(seed + side)) < 0.6
        made.append(
            TrackletDescriptors(
                features,
                torch.arange(len(pids)),
                pids.long(),
                cameras.long(),
                torch.full((len(pids),), role),
                visible=shows if visible else None,
                segments=Segments(SIZES, WEIGHTS) if visible else None,
                outfits=worn.long(),
            )
        )
    return made


def slow_matrix(query, gallery, distance="euclidean", uncompared=None):
    """All distances in float64, squared under ``euclidean``, one pair after the other.

    Pairs without a common segment are as far as ``uncompared`` says, see ``slow_visible_distances``.
    """
    q, g = (side.features.double().numpy() for side in (query, gallery))
    if query.visible is not None:
        shows = query.visible.numpy(), gallery.visible.numpy()
        return slow_visible_distances(q, g, *shows, SIZES, WEIGHTS, uncompared)
    if distance == "euclidean":
        return np.array([[((a - b) ** 2).sum() for b in g] for a in q])
    return np.array([[1 - (a @ b) / (np.linalg.norm(a) * np.linalg.norm(b)) for b in g] for a in q])
