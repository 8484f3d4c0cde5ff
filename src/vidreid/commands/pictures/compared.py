"""``figure=ranked``: what one network finds, or two for the same queries (Figure 3 of KeyRe-ID)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from vidreid.commands.building import (
    ONE_PROCESS,
    build_module,
    evaluating_trainer,
    without_initial_weights,
)
from vidreid.commands.evaluation import evaluate
from vidreid.commands.pictures.opening import listed, run_settings
from vidreid.commands.quiet import quiet
from vidreid.data.datamodule import ReidDataModule
from vidreid.metrics.ranking import RankingResult
from vidreid.metrics.reid import ReidMetric
from vidreid.metrics.tracklets import QUERY, TrackletDescriptors
from vidreid.training.run_folder import RunFolder
from vidreid.visualize.palette import Frame
from vidreid.visualize.ranked import FramesOf, frames_reader, ranked_rows, spread_queries
from vidreid.visualize.save import save_png
from vidreid.visualize.strips import RankedRow, ranked_strips

_FRAMES = 2  # of a tracklet: ten ranks of them fill the width of a screen


class Ranked(NamedTuple):
    """What a run makes of the test set.

    Attributes:
        metrics: As in ``metrics.json``.
        metric: Knows the rules of the ranking.
        descriptors: One a tracklet.
        ranking: Scores of every query, in the order of the queries among the descriptors.
    """

    metrics: dict[str, Any]
    metric: ReidMetric
    descriptors: TrackletDescriptors
    ranking: RankingResult


def draw_compared(config: DictConfig) -> Path:
    """Draw the ranked lists of a run, below those of a baseline for the same queries if there is one."""
    runs = [RunFolder.existing(path) for path in (config.baseline, config.run) if path is not None]
    settings = [run_settings(run, config) for run in runs]
    data: list[ReidDataModule] = [instantiate(one.data) for one in settings]
    if len(runs) > 1:
        _same_question(runs, settings, data)
    ranked = [
        _rank(run, one, of_run, config.checkpoint, known_cameras=config.benchmark is None)
        for run, one, of_run in zip(runs, settings, data, strict=True)
    ]
    names = _names(settings, ranked)
    answers = ranked[0].metric.answers
    queries = list(config.tracklets or spread_queries(ranked[0].descriptors, config.count, answers))
    if not queries:
        raise ValueError(
            f"No query has an answer in the gallery of {data[0].root}: there is nothing to draw."
        )
    count = _FRAMES if config.frames is None else config.frames
    rows = [
        _rows(name, one, of_run, count, queries, config.ranks)
        for name, one, of_run in zip(names, ranked, data, strict=True)
    ]
    stacked = [
        replace(row, same_query=place > 0)
        for query in zip(*rows, strict=True)
        for place, row in enumerate(query)
    ]
    name = "ranked_compared" if len(runs) > 1 else f"ranked_{data[0].benchmark.name}"
    file = save_png(ranked_strips(stacked), config.file or runs[-1].pictures / f"{name}.png")
    print(f"{file}: queries {listed(queries)}, protocol {data[0].protocol}")
    for name, one in zip(names, ranked, strict=True):
        rank1, mean_ap = (one.metrics[key] for key in ("rank1", "mAP"))
        print(f"  {name:<24}rank-1 {_per_cent(rank1)}  mAP {_per_cent(mean_ap)}")
    return file


def _rank(
    run: RunFolder,
    settings: DictConfig,
    data: ReidDataModule,
    checkpoint: str | None,
    known_cameras: bool = True,
) -> Ranked:
    module = build_module(without_initial_weights(settings))
    module.test_cameras = "known" if known_cameras else "unknown"
    with quiet():
        # A part of the gallery makes no ranked list.
        trainer = evaluating_trainer(settings, run, **ONE_PROCESS, limit_test_batches=1.0)
        file = run.checkpoint(checkpoint or settings.select)
        metrics = evaluate(settings, run, trainer, module, data, file, reported=False)
    assert module.metric is not None
    assert module.evaluation is not None
    return Ranked(metrics, module.metric, module.metric.descriptors(), module.evaluation.ranking)


def _rows(
    name: str, ranked: Ranked, data: ReidDataModule, frames: int, queries: Sequence[int], ranks: int
) -> list[RankedRow]:
    rows = ranked_rows(
        ranked.descriptors,
        _input_frames(data, frames),
        queries,
        ranks,
        distance=ranked.metric.distance,
        junk_pid=ranked.metric.junk_pid,
        answers=ranked.metric.answers,
        person_names=data.benchmark.person_names,
        camera_names=data.benchmark.camera_names,
        query_frames_of=_input_frames(data, 1) if data.query == "image" else None,
    )
    place = {int(tracklet): i for i, tracklet in enumerate(ranked.descriptors.having(QUERY).tracklets)}
    return [
        replace(row, notes=(name, *_scores(ranked.ranking, place[int(query)])))
        for row, query in zip(rows, queries, strict=True)
    ]


def _scores(ranking: RankingResult, query: int) -> tuple[str, ...]:
    first, precision = float(ranking.first_ranks[query]), float(ranking.average_precisions[query])
    if np.isnan(first):
        return ("no answer in the gallery",)
    return ("rank-1 right" if first == 1 else f"first right: rank {first:.0f}", f"AP {_per_cent(precision)}")


def _per_cent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _input_frames(data: ReidDataModule, count: int) -> FramesOf:
    """Return a function that reads frames of a tracklet as the run's network is given them."""
    read = frames_reader(data.benchmark.test, data.frames(data.test_split), count)

    def frames_of(tracklet: int) -> list[Frame]:
        planes, _, _ = data.test_transform(read(tracklet), None, seed=0)
        return list(planes.transpose(0, 2, 3, 1))

    return frames_of


def _names(settings: list[DictConfig], ranked: list[Ranked]) -> list[str]:
    """Return what tells the runs apart: their methods, else their names, else which is which."""
    methods = [one.metrics["method"] for one in ranked]
    if len(ranked) == 1:
        return methods
    own = [str(one.name) for one in settings]
    for names in (methods, own):
        if names[0] != names[1]:
            return names
    return [f"{methods[0]}, baseline", f"{methods[1]}, run"]


def _same_question(runs: list[RunFolder], settings: list[DictConfig], data: list[ReidDataModule]) -> None:
    """Refuse runs whose queries and galleries differ."""
    asked = [
        {
            "root": str(Path(one.data.root).resolve()),
            "data": one.data._target_,
            "protocol": one.data.protocol,
            "split": one.data.get("split"),
        }
        for one in settings
    ]
    differs = next((key for key in asked[0] if asked[0][key] != asked[1][key]), None)
    if differs is not None:
        raise ValueError(
            f"The baseline {runs[0].path} and the run {runs[1].path} cannot be compared query by query "
            f"({differs}: {asked[0][differs]} and {asked[1][differs]}): choose runs of one root and protocol."
        )
    first, second = (one.test_data() for one in data)
    same = np.array_equal(first.tracklets, second.tracklets) and np.array_equal(first.roles, second.roles)
    if not same:
        raise ValueError(
            f"The baseline {runs[0].path} and the run {runs[1].path} rank different tracklets: evaluate both "
            "on the same ones."
        )
