"""Re-ranked scores: the protocol's rules, a file of their own, nothing of the plain numbers beside them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig

from metrics.reid_problem import CLIPS, SEGMENTS, WEIGHTS, clips, outfits, visible_segments
from metrics.slow_evaluator import slow_rank
from metrics.slow_reranking import slow_k_reciprocal, squared_distances
from support.runs import NARROW, SMALL, call, compose_training
from vidreid.commands import config_dir
from vidreid.commands.evaluate import evaluate_run
from vidreid.commands.evaluation import TABLE
from vidreid.commands.reranked import rank_again
from vidreid.commands.train import train
from vidreid.metrics.reid import ReidMetric
from vidreid.metrics.reranking import KReciprocal, expanded_queries
from vidreid.metrics.tracklets import GALLERY, QUERY
from vidreid.metrics.visible_distances import PairDistances

METHODS = {
    "k_reciprocal": "k1-20_k2-6_lambda-0.3_squared_again-False",
    "average_expansion": "k-5",
    "alpha_expansion": "k-5_alpha-3.0",
}


@dataclass(frozen=True)
class Plain:
    """The plain distances in the place of re-ranked ones."""

    method = "plain"

    def __call__(self, *sides: Any) -> PairDistances:
        return PairDistances(*sides)


def seen(**options: Any) -> ReidMetric:
    """A metric that has seen all clips; a query has an identity that nobody else has."""
    features, numbers, tracklets, pids, cameras, roles = clips()
    first = tracklets[roles == QUERY | GALLERY][0]
    pids = torch.where(tracklets == first, 99, pids)
    metric = ReidMetric(CLIPS, **options)
    visible = None if metric.segments is None else visible_segments()
    metric.update(features, numbers, tracklets, pids, cameras, roles, visible, outfits())
    return metric


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"junk_pid": None, "average_precision": "trapezoid"},
        {"unanswered": "zero", "max_rank": 23},
        {"answers": "other_outfit"},
        {"answers": "same_outfit", "distance": "cosine"},
        {"cameras": "legacy_frames", "frames_per_clip": 3},
        {"segments": SEGMENTS, "segment_weights": WEIGHTS},
    ],
)
def test_the_rules_are_those_of_the_metric(options: dict[str, Any]) -> None:
    metric = seen(**options)
    again, queries = rank_again(Plain(), metric)
    plain = metric.result()
    assert (plain.queries_dropped > 0) == (metric.unanswered == "skip")
    assert torch.equal(again.average_precisions.nan_to_num(-1), plain.average_precisions.nan_to_num(-1))
    assert torch.equal(again.cmc, plain.cmc)
    assert (again.mean_ap, again.mean_inp) == (plain.mean_ap, plain.mean_inp)
    assert (again.queries_counted, again.queries_dropped) == (plain.queries_counted, plain.queries_dropped)
    assert queries.tolist() == metric.descriptors().having(QUERY).tracklets.tolist()


@pytest.mark.parametrize("options", [{}, {"answers": "other_outfit", "junk_pid": None}])
def test_re_ranked_scores_equal_the_slow_twins(options: dict[str, Any]) -> None:
    metric = seen(**options)
    query, gallery = (metric.descriptors().having(role) for role in (QUERY, GALLERY))
    pairs = squared_distances(torch.cat([query.features, gallery.features]))
    slow = slow_rank(
        query.features,
        gallery.features,
        *(side.pids.numpy() for side in (query, gallery)),
        *(side.cameras.numpy() for side in (query, gallery)),
        matrix=slow_k_reciprocal(pairs, len(query.pids), 6, 3, 0.3),
        query_outfits=query.outfits,
        gallery_outfits=gallery.outfits,
        **{"junk_pid": -1, **options},
    )
    again, _ = rank_again(KReciprocal(6, 3, 0.3), metric)
    np.testing.assert_allclose(again.average_precisions, slow.average_precisions, atol=1e-12)
    assert again.mean_ap != metric.result().mean_ap
    assert again.queries_counted == slow.counted > 0


@pytest.fixture(scope="module")
def run(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "pcb"
    overrides = ("experiment=pcb_synthetic", *SMALL, *NARROW, "trainer.max_epochs=1")
    train(compose_training(tiny_root, folder, *overrides))
    return folder


def asked(*overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose("eval", [*overrides])


@pytest.mark.parametrize("method", METHODS)
def test_a_file_of_its_own(method: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in run.glob("*.json")}
    assert run / "metrics.json" in before
    metrics = evaluate_run(asked(f"run={run}", f"rerank={method}"))
    file = run / f"eval_rerank-{method}_{METHODS[method]}_last.json"
    assert set(run.glob("*.json")) - before.keys() == {file}
    assert {path: path.read_bytes() for path in before} == before
    assert json.loads(file.read_text()) == metrics
    plain = json.loads((run / "metrics.json").read_text())
    reports = {"intervals", "verification", "camera_pairs"}  # of plain distances
    assert metrics.keys() == plain.keys() - reports | {"rerank"}
    assert metrics["rerank"]["method"] == method
    same = ("method", "protocol", "gallery", "queries_counted", "queries_dropped", "data", "epochs")
    assert {name: metrics[name] for name in same} == {name: plain[name] for name in same}
    assert metrics["cmc"] != plain["cmc"]
    line = next(x for x in capsys.readouterr().out.splitlines() if f"mAP {100 * metrics['mAP']:.2f}" in x)
    assert line.startswith(f"re-ranked by {method} (k")
    assert "not to be compared with plain numbers" in line


def test_settings_and_protocol_stand_in_the_name(run: Path) -> None:
    overrides = ("rerank=k_reciprocal", "rerank.k1=4", "rerank.squared_again=true", "metric.distance=cosine")
    metrics = evaluate_run(asked(f"run={run}", "data.protocol=queries_removed", *overrides))
    assert metrics["rerank"] == {
        "method": "k_reciprocal", "k1": 4, "k2": 6, "lambda_": 0.3, "squared_again": True,
    }  # fmt: skip
    name = (
        "protocol-queries_removed_distance-cosine_rerank-k_reciprocal_k1-4_k2-6_lambda-0.3_squared_again-True"
    )
    assert (run / f"eval_{name}_last.json").is_file()
    assert metrics["protocol"] == "queries_removed"


def test_numbers_of_the_plain_evaluation_do_not_slip_in(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also not those that a plain evaluation may have one day."""
    from vidreid.commands import evaluate as command

    plain = command.evaluate
    monkeypatch.setattr(command, "evaluate", lambda *args: {**plain(*args), "new_report": 1})
    assert evaluate_run(asked(f"run={run}"))["new_report"] == 1
    assert "new_report" not in evaluate_run(asked(f"run={run}", "rerank=average_expansion"))


def test_expanded_by_hand_in_the_whole_way(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers of the command are those of its tracklets, expanded and ranked plainly."""
    from vidreid.commands import reranked

    metrics_seen: list[ReidMetric] = []
    inner = reranked.rank_again
    monkeypatch.setattr(
        reranked, "rank_again", lambda method, metric: (metrics_seen.append(metric), inner(method, metric))[1]
    )
    metrics = evaluate_run(asked(f"run={run}", "rerank=average_expansion", "rerank.k=2"))
    query, gallery = (metrics_seen[0].descriptors().having(role) for role in (QUERY, GALLERY))
    slow = slow_rank(
        expanded_queries(query.features, gallery.features, 2)[0],
        gallery.features,
        *(side.pids.numpy() for side in (query, gallery)),
        *(side.cameras.numpy() for side in (query, gallery)),
    )
    assert metrics["mAP"] == pytest.approx(slow.mean_ap, abs=1e-6)
    assert metrics["cmc"] == pytest.approx(slow.cmc.tolist())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ("rerank=k_reciprocal", "rerank.k1=0"),
            "error: Re-ranking has k1=0: give a whole number, at least 1.",
        ),
        (("rerank=k_reciprocal", "rerank.lambda_=2"), "error: Re-ranking has lambda_=2: give a number"),
        (("rerank=alpha_expansion", "rerank.alpha=much"), "error: Re-ranking has alpha=much: give a number"),
        (("rerank=faith",), "Available options in 'rerank':\n\talpha_expansion\n\taverage_expansion\n"),
    ],
)
def test_bad_options(
    overrides: tuple[str, ...], sentence: str, run: Path, repo_root: Path, tmp_path: Path
) -> None:
    before = sorted(run.iterdir())
    status, out = call(repo_root, "eval.py", f"run={run}", *overrides, cwd=tmp_path)
    assert status != 0
    assert sentence in out
    assert "Traceback" not in out
    assert sorted(run.iterdir()) == before


def test_training_does_not_offer_it(tiny_root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigCompositionException, match="rerank"):
        compose_training(tiny_root, tmp_path, "rerank=k_reciprocal")


def test_no_answer_is_null(run: Path) -> None:
    few = ("trainer.limit_test_batches=2", "data.test_batch_size=1")
    metrics = evaluate_run(asked(f"run={run}", "rerank=k_reciprocal", *few))
    assert metrics["queries_counted"] == 0
    assert {metrics[name] for name in TABLE} == {None} == set(metrics["cmc"])
