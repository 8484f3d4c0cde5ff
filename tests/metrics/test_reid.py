import pickle

import numpy as np
import pytest
import torch

from metrics import reid_problem
from metrics.reid_problem import (
    CLIPS,
    SEGMENTS,
    WEIGHTS,
    batches,
    clips,
    make_metric,
    outfits,
    visible_segments,
)
from metrics.slow_evaluator import slow_rank, slow_visible_distances
from vidreid.metrics.reid import ReidMetric
from vidreid.metrics.tracklets import QUERY


def evaluate(metric, rows, batch=7):
    """Scores of clips that come in batches of one size."""
    return reid_problem.evaluate(metric, batches(rows, [batch]))


def slow_scores(normalize="none", pooling="mean", **options):
    """Pool the clips in a loop, split by role, rank slowly."""
    features, _, tracklets, pids, cameras, roles = (x.numpy() for x in clips())
    rows = []
    for tracklet in dict.fromkeys(tracklets.tolist()):
        mine = tracklets == tracklet
        values = features[mine]
        if normalize == "before":
            values = values / np.linalg.norm(values, axis=1, keepdims=True)
        pooled = values.mean(axis=0) if pooling == "mean" else values.max(axis=0)
        if normalize == "after":
            pooled = pooled / np.linalg.norm(pooled)
        rows.append((pooled, pids[mine][0], cameras[mine][0], roles[mine][0], outfits()[mine][0].item()))
    query, gallery = [r for r in rows if r[3] & 1], [r for r in rows if r[3] & 2]
    columns = [np.array([r[i] for r in side]) for i in (0, 1, 2) for side in (query, gallery)]
    options |= {"query_outfits": [r[4] for r in query], "gallery_outfits": [r[4] for r in gallery]}
    return slow_rank(*columns, **options), len([r for r in gallery if r[1] != -1])


@pytest.mark.parametrize("normalize", ["none", "before", "after"])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_equals_the_slow_evaluator(normalize, distance, pooling):
    slow, gallery = slow_scores(normalize, pooling, distance=distance)
    metric = ReidMetric(CLIPS, normalize=normalize, distance=distance, pooling=pooling)
    scores = evaluate(metric, list(range(CLIPS)))
    assert scores == pytest.approx(
        {
            **{f"rank{k}": slow.cmc[k - 1] for k in (1, 5, 10, 20)},
            "mAP": slow.mean_ap,
            "mINP": slow.mean_inp,
            "queries_counted": slow.counted,
            "queries_dropped": slow.dropped,
            "queries_tied": 0,
            "gallery": gallery,
        },
        abs=1e-6,
    )


@pytest.mark.parametrize("answers", ["same_outfit", "other_outfit"])
def test_outfits_reach_the_ranking(answers):
    slow, _ = slow_scores(answers=answers, unanswered="zero")
    metric = ReidMetric(CLIPS, answers=answers, unanswered="zero", block=3)
    scores = evaluate(metric, list(range(CLIPS)))
    assert scores["mAP"] == pytest.approx(slow.mean_ap, abs=1e-6)
    assert scores["rank1"] == pytest.approx(slow.cmc[0], abs=1e-6)
    assert scores != evaluate(ReidMetric(CLIPS, unanswered="zero"), list(range(CLIPS)))


def test_without_outfits_everybody_wears_one():
    for answers, counted in (("any", True), ("same_outfit", True), ("other_outfit", False)):
        metric = ReidMetric(CLIPS, answers=answers)
        metric.update(*clips())
        assert bool(metric.compute()["queries_counted"] > 0) == counted


def test_options_reach_the_ranking():
    slow, _ = slow_scores(average_precision="trapezoid", junk_pid=None, unanswered="zero")
    metric = ReidMetric(
        CLIPS, average_precision="trapezoid", junk_pid=None, unanswered="zero", max_rank=25, block=3
    )
    scores = evaluate(metric, list(range(CLIPS)))
    assert scores["mAP"] == pytest.approx(slow.mean_ap, abs=1e-6)
    assert metric.result().cmc.shape == (25,)


def test_order_batches_and_repetitions_do_not_matter():
    expected = evaluate(ReidMetric(CLIPS), list(range(CLIPS)))
    order = torch.randperm(CLIPS, generator=torch.Generator().manual_seed(0)).tolist()
    assert evaluate(ReidMetric(CLIPS), order, batch=13) == expected
    assert evaluate(ReidMetric(CLIPS), order + order[:40] + order[:3], batch=1) == expected


def test_missing_clips_are_an_error():
    with pytest.raises(ValueError, match="3 of 101 evaluation clips are missing, the first is clip 50"):
        evaluate(ReidMetric(CLIPS), [i for i in range(CLIPS) if i not in (50, 51, 90)])
    with pytest.raises(ValueError, match="100 clips, but clip 100 came"):
        evaluate(ReidMetric(CLIPS - 1), list(range(CLIPS)))
    with pytest.raises(ValueError, match="101 of 101"):
        ReidMetric(CLIPS).compute()
    evaluate(ReidMetric(None), list(range(40)))  # unchecked on request


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_without_any_clip():
    scores = ReidMetric().compute()
    assert scores["mAP"].isnan()
    assert scores["queries_counted"] == 0


def test_descriptors_after_duplicates_and_averaging():
    metric = ReidMetric(CLIPS)
    evaluate(metric, [*range(CLIPS), 5, 6])
    features, _, tracklets, *_ = clips()
    found = metric.descriptors()
    assert len(found.features) == len(tracklets.unique())
    third = tracklets.unique()[3]
    torch.testing.assert_close(found.features[3], features[tracklets == third].mean(dim=0))
    assert found.having(QUERY).pids.shape == (
        metric.compute()["queries_counted"] + metric.compute()["queries_dropped"],
    )


def test_reset_forgets():
    metric = ReidMetric(CLIPS)
    expected = evaluate(metric, list(range(CLIPS)))
    metric.reset()
    with pytest.raises(ValueError, match="clips are missing"):
        evaluate(metric, [0, 1])
    metric.reset()
    assert evaluate(metric, list(range(CLIPS))) == expected


def test_half_precision_descriptors_are_kept_as_float32():
    metric = ReidMetric(CLIPS)
    features, *facts = clips()
    metric.update(features.half(), *facts)
    assert metric.features[0].dtype == torch.float32


def test_survives_pickling():
    metric = ReidMetric(CLIPS)
    expected = evaluate(metric, list(range(CLIPS)))
    copy = pickle.loads(pickle.dumps(metric))
    assert {name: value.item() for name, value in copy.compute().items()} == expected


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"normalize": "twice"}, "twice"),
        ({"pooling": "median"}, "'median': choose mean or max"),
        ({"max_rank": 10}, "rank20"),
        ({"answers": "same"}, "'same': choose any"),
    ],
)
def test_wrong_options_are_named(options, match):
    with pytest.raises(ValueError, match=match):
        ReidMetric(**options)


def test_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"\(B, D\)"):
        ReidMetric().update(torch.ones(3), *[torch.zeros(3)] * 5)


def test_visible_parts_equal_the_slow_evaluator():
    features, _, tracklets, pids, cameras, roles = (x.numpy() for x in clips())
    shows, columns = visible_segments().numpy(), np.repeat(np.arange(3), SEGMENTS)
    rows = []
    for tracklet in dict.fromkeys(tracklets.tolist()):
        mine = tracklets == tracklet
        mean = np.zeros(16)
        for column in range(16):
            seen = features[mine & shows[:, columns[column]], column]
            mean[column] = seen.mean() if len(seen) else 0
        rows.append((mean, pids[mine][0], cameras[mine][0], roles[mine][0], shows[mine].any(axis=0)))
    sides = [[r for r in rows if r[3] & role] for role in (1, 2)]
    means, pids, cameras, _, shows = ([np.array([r[i] for r in side]) for side in sides] for i in range(5))
    matrix = slow_visible_distances(*means, *shows, SEGMENTS, WEIGHTS)
    slow = slow_rank(*means, *pids, *cameras, matrix=matrix)
    metric = make_metric(True)
    scores = evaluate(metric, list(range(CLIPS)))
    assert scores["mAP"] == pytest.approx(slow.mean_ap, abs=1e-6)
    assert scores["rank1"] == pytest.approx(slow.cmc[0], abs=1e-6)
    np.testing.assert_allclose(metric.result().average_precisions, slow.average_precisions, atol=1e-9)
    order = torch.randperm(CLIPS, generator=torch.Generator().manual_seed(0)).tolist()
    assert evaluate(make_metric(True), order + order[:30], batch=9) == scores
    assert pickle.loads(pickle.dumps(metric)).compute() == metric.compute()


def test_segments_alone_change_nothing():
    plain, knowing = ReidMetric(CLIPS), make_metric(True)
    knowing.update(*clips())
    assert {k: v.item() for k, v in knowing.compute().items()} == evaluate(plain, list(range(CLIPS)))


def test_visible_parts_come_always_or_never():
    batch, shows = clips(), visible_segments()
    metric = make_metric(True)
    metric.update(*batch)
    with pytest.raises(ValueError, match="in every update or in none"):
        metric.update(*batch, shows)
    with pytest.raises(ValueError, match="knows no segments"):
        ReidMetric().update(*batch, shows)
    with pytest.raises(ValueError, match=r"visibility of shape \(101, 2\)"):
        make_metric(True).update(*batch, shows[:, :2])
    for options in ({"distance": "cosine"}, {"normalize": "after"}):
        with pytest.raises(ValueError, match="cannot leave hidden parts out"):
            make_metric(True, **options).update(*batch, shows)
