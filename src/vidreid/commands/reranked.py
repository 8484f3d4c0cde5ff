"""Scores of a re-ranked gallery: another protocol than the plain one, in a file of its own."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from torch import Tensor

from vidreid.commands.evaluation import TABLE, print_metrics, subset_scores
from vidreid.data.datamodule import ReidDataModule
from vidreid.metrics.full_precision import full_precision
from vidreid.metrics.ranking import RankingResult, rank_rows
from vidreid.metrics.reid import ReidMetric
from vidreid.metrics.reranking import Reranking
from vidreid.metrics.tracklets import GALLERY, QUERY
from vidreid.training.module import ReidModule

_OF_THE_RUN = (
    "name", "method", "protocol", "warning", "descriptor", "query", "pooling", "normalize", "distance",
    "average_precision", "gallery",
    "checkpoint", "epochs", "selection", "seed", "data", "parameters", "versions",
)  # fmt: skip
"""What re-ranking leaves as it is; nothing else of the plain evaluation stands beside re-ranked numbers."""


def reranked_metrics(
    reranking: Reranking,
    settings: DictConfig,
    metrics: dict[str, Any],
    module: ReidModule,
    data: ReidDataModule,
) -> dict[str, Any]:
    """Rank the test tracklets of an evaluation again, by other distances and the same rules.

    Args:
        reranking: Gives the distances.
        settings: What it was built from, for the key ``rerank``.
        metrics: The numbers of the plain evaluation.
        module: Has just been tested.
        data: Its benchmark names the kinds of queries.

    Returns:
        Numbers as in ``metrics.json``, and what they were re-ranked by, under ``rerank``.
    """
    assert isinstance(module.metric, ReidMetric)
    ranking, queries = rank_again(reranking, module.metric)
    count = ranking.queries_counted
    scores = {f"rank{k}": float(ranking.cmc[k - 1]) for k in (1, 5, 10, 20)}
    scores |= {"mAP": ranking.mean_ap, "mINP": ranking.mean_inp}
    return {
        "rerank": {"method": reranking.method, **_plain(settings)},
        **{key: metrics[key] for key in _OF_THE_RUN if key in metrics},
        **{name: scores[name] if count else None for name in TABLE},
        "queries_counted": count,
        "queries_dropped": ranking.queries_dropped,
        **subset_scores(data, ranking, queries),
        "cmc": [float(value) if count else None for value in ranking.cmc],
    }


def rank_again(reranking: Reranking, metric: ReidMetric) -> tuple[RankingResult, Tensor]:
    """Score the tracklets that a metric has seen by re-ranked distances, under the metric's own rules.

    What the protocol ignores is not in the gallery (junk) and shapes no neighbourhood; what it ignores for
    one query only, its own camera's items, is in the gallery and does.

    Args:
        reranking: Gives the distances.
        metric: Has computed its plain scores.

    Returns:
        The ranking, and the tracklet numbers of the queries in its order.
    """
    descriptors = metric.descriptors()
    query, gallery = descriptors.having(QUERY), descriptors.having(GALLERY)
    with full_precision(gallery.features.device):
        distances_of = reranking(
            query.features,
            gallery.features,
            metric.distance,
            descriptors.segments,
            query.visible,
            gallery.visible,
        )
        ranking = rank_rows(
            distances_of,
            distances_of.tile,
            query.pids,
            gallery.pids,
            metric.cameras_of(query),
            metric.cameras_of(gallery),
            average_precision=metric.average_precision,
            junk_pid=metric.junk_pid,
            unanswered=metric.unanswered,
            max_rank=metric.max_rank,
            query_outfits=query.outfits,
            gallery_outfits=gallery.outfits,
            answers=metric.answers,
        )
    return ranking, query.tracklets.cpu()


def settings_for_the_name(settings: DictConfig, method: str) -> list[str]:
    """Return ``key-value`` of the method and its settings, for the name of the file."""
    pairs = {"rerank": method, **_plain(settings)}
    return [f"{key.strip('_')}-{value}" for key, value in pairs.items()]


def print_reranked(metrics: dict[str, Any], file: Path) -> None:
    """Print the numbers in a line that says that they are re-ranked, and where they are kept."""
    settings = dict(metrics["rerank"])
    method = settings.pop("method")
    pairs = ", ".join(f"{key} {value}" for key, value in settings.items())
    print(f"re-ranked by {method} ({pairs}), not to be compared with plain numbers: ", end="")
    print_metrics(metrics, file)


def _plain(settings: DictConfig) -> dict[str, Any]:
    return {str(key): value for key, value in settings.items() if key != "_target_"}
