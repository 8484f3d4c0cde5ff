"""Ranking metrics: pure functions over distances and ids, and the torchmetrics class."""

from vidreid.metrics.ranking import RankingResult, rank
from vidreid.metrics.reid import ReidMetric
from vidreid.metrics.top_matches import top_matches
from vidreid.metrics.tracklets import GALLERY, QUERY, TrackletDescriptors

__all__ = [
    "GALLERY",
    "QUERY",
    "RankingResult",
    "ReidMetric",
    "TrackletDescriptors",
    "rank",
    "top_matches",
]
