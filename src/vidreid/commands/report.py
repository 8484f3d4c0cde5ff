"""What an evaluation says beside its scores: intervals, thresholds, pairs of cameras. All of it is JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from omegaconf import DictConfig
from torch import Tensor

from vidreid.metrics.bootstrap import ranking_intervals
from vidreid.metrics.camera_pairs import camera_pairs
from vidreid.metrics.ranking import RankingResult
from vidreid.metrics.reid import ReidMetric
from vidreid.metrics.tracklets import GALLERY, QUERY, TrackletDescriptors
from vidreid.metrics.verification import FALSE_POSITIVE_RATES, verify


@dataclass(frozen=True)
class ReportSettings:
    """The settings ``report``; runs of earlier versions have none of them.

    Attributes:
        draws: Draws of the intervals.
        level: Share of the draws inside an interval.
        seed: Of the draws.
        rates: False positive rates that thresholds are told for.
        cameras: No matrix of pairs of cameras if queries or gallery have more.

    Raises:
        ValueError: If they make no report.
    """

    draws: int = 1000
    level: float = 0.95
    seed: int = 0
    rates: Sequence[float] = FALSE_POSITIVE_RATES
    cameras: int = 64

    @classmethod
    def of(cls, config: DictConfig) -> "ReportSettings":
        """Return those of a run's configuration."""
        return cls(**(config.get("report") or {}))

    def __post_init__(self) -> None:
        for name in ("draws", "seed", "cameras"):
            value, least = getattr(self, name), int(name == "draws")
            if not isinstance(value, int) or value < least:
                raise ValueError(f"report.{name}={value} is no whole number from {least} up.")
        if not _is_share(self.level) or self.level in (0, 1):
            raise ValueError(f"report.level={self.level} makes no interval: take a share, such as 0.95.")
        if isinstance(self.rates, str | float | int) or not all(map(_is_share, self.rates)):
            raise ValueError(
                f"report.rates={self.rates} are no false positive rates: take shares from 0 to 1, such as "
                "[0.001,0.01]."
            )


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def report(
    metric: ReidMetric,
    descriptors: TrackletDescriptors,
    ranking: RankingResult,
    settings: ReportSettings,
    camera_names: Mapping[int, str],
) -> dict[str, Any]:
    """Return ``intervals``, ``verification`` and ``camera_pairs`` for ``metrics.json``.

    Thresholds and pairs of cameras are ``None`` under the mix-up of cameras of a released evaluation: nothing
    should be set by its numbers.

    Args:
        metric: Knows the rules of the ranking.
        descriptors: Of all tracklets.
        ranking: The ranking of all queries.
        settings: What is told.
        camera_names: What cameras are called, by number, where they have names.
    """
    query, gallery = descriptors.having(QUERY), descriptors.having(GALLERY)
    wrong_cameras = metric.cameras != "tracklets"
    return {
        "intervals": _intervals(ranking, query.pids, settings),
        "verification": None if wrong_cameras else _verification(metric, query, gallery, settings.rates),
        "camera_pairs": None
        if wrong_cameras
        else _camera_pairs(metric, query, gallery, settings.cameras, camera_names),
    }


def interval_line(intervals: dict[str, Any]) -> str:
    """Return rank-1 and mAP with their intervals as one line."""
    told = [f"{name} {100 * intervals[name][0]:.1f} to {100 * intervals[name][1]:.1f}"
            for name in ("rank1", "mAP")]  # fmt: skip
    people = f"{100 * intervals['level']:g} % intervals over {intervals['identities']} identities"
    return f"{people}:  {'  '.join(told)}"


def _intervals(ranking: RankingResult, pids: Tensor, settings: ReportSettings) -> dict[str, Any] | None:
    found = ranking_intervals(ranking, pids, draws=settings.draws, level=settings.level, seed=settings.seed)
    if found is None:
        return None
    facts = {"level": found.level, "identities": found.identities, "draws": found.draws, "seed": found.seed}
    return {**facts, **{name: list(bounds) for name, bounds in found.bounds.items()}}


def _verification(
    metric: ReidMetric, query: TrackletDescriptors, gallery: TrackletDescriptors, rates: Sequence[float]
) -> dict[str, Any] | None:
    found = verify(
        query,
        gallery,
        distance=metric.distance,
        junk_pid=metric.junk_pid,
        answers=metric.answers,
        rates=rates,
        block=metric.block,
    )
    if found is None:
        return None
    return {
        "distance": metric.distance,
        "right_pairs": found.right_pairs,
        "wrong_pairs": found.wrong_pairs,
        "auc": found.auc,
        "equal_error_rate": found.equal_error_rate,
        "equal_error": asdict(found.equal_error),
        "at_fpr": [{"asked": rate, **asdict(point)} for rate, point in found.at_fpr.items()],
    }


def _camera_pairs(
    metric: ReidMetric,
    query: TrackletDescriptors,
    gallery: TrackletDescriptors,
    most: int,
    names: Mapping[int, str],
) -> dict[str, Any] | None:
    if max(len(side.cameras.unique()) for side in (query, gallery)) > most:
        return None
    found = camera_pairs(
        query,
        gallery,
        distance=metric.distance,
        average_precision=metric.average_precision,
        junk_pid=metric.junk_pid,
        answers=metric.answers,
        block=metric.block,
    )
    known = {*found.query_cameras, *found.gallery_cameras} & names.keys()
    return {
        "query_cameras": found.query_cameras,
        "gallery_cameras": found.gallery_cameras,
        **({"names": {str(camera): names[camera] for camera in sorted(known)}} if known else {}),
        "queries": found.queries.tolist(),
        "rank1": _matrix(found.rank1),
        "mAP": _matrix(found.mean_ap),
    }


def _matrix(values: Tensor) -> list[list[float | None]]:
    return [[None if math.isnan(value) else value for value in row] for row in values.tolist()]
