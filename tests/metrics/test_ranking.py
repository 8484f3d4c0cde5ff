import numpy as np
import pytest
import torch

from golden.golden_weights import normal
from metrics.slow_evaluator import random_outfits, random_problem, slow_rank
from vidreid.metrics.ranking import rank, rank_rows
from vidreid.metrics.visible_distances import PairDistances


def tensors(problem):
    return [torch.from_numpy(np.asarray(x)) for x in problem]


def line(distances, right, cameras=None):
    """A single query at 0 on a line and gallery items at the given distances (not squared)."""
    count = len(distances)
    return (
        torch.zeros(1, 1),
        torch.tensor(distances, dtype=torch.float32)[:, None],
        torch.tensor([7]),
        torch.tensor([7 if i in right else 3 for i in range(count)]),
        torch.tensor([1]),
        torch.tensor(cameras or [2] * count),
    )


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("average_precision", ["hits", "trapezoid"])
@pytest.mark.parametrize("unanswered", ["skip", "zero"])
@pytest.mark.parametrize("junk_pid", [-1, None])
@pytest.mark.parametrize(("distance", "ties"), [("euclidean", True), ("euclidean", False), ("cosine", False)])
def test_equals_the_slow_evaluator(seed, average_precision, unanswered, junk_pid, distance, ties):
    problem = random_problem(seed, ties=ties)
    options = {
        "distance": distance,
        "average_precision": average_precision,
        "unanswered": unanswered,
        "junk_pid": junk_pid,
        "max_rank": 30,
    }
    slow, fast = slow_rank(*problem, **options), rank(*tensors(problem), **options)
    assert slow.dropped > 0 or unanswered == "zero"
    assert slow.tied > 10 if ties else slow.tied == 0
    np.testing.assert_allclose(fast.cmc, slow.cmc, atol=1e-12)
    np.testing.assert_allclose(fast.average_precisions, slow.average_precisions, atol=1e-12)
    assert fast.mean_ap == pytest.approx(slow.mean_ap, abs=1e-12)
    assert fast.mean_inp == pytest.approx(slow.mean_inp, abs=1e-12)
    assert (fast.queries_counted, fast.queries_dropped) == (slow.counted, slow.dropped)
    assert fast.queries_tied == slow.tied


@pytest.mark.parametrize("answers", ["any", "same_outfit", "other_outfit"])
@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("block", [1, 512])
def test_outfits_equal_the_slow_evaluator(answers, ties, block, monkeypatch):
    monkeypatch.setattr("vidreid.metrics.exact_ranks._FEWEST_ROWS", 1)  # so that a block of 1 is one query
    problem = random_problem(2, queries=50, gallery=300, ties=ties)
    outfits = random_outfits(problem, 2)
    slow = slow_rank(*problem, query_outfits=outfits[0], gallery_outfits=outfits[1], answers=answers)
    worn = dict(zip(("query_outfits", "gallery_outfits"), tensors(outfits), strict=True))
    fast = rank(*tensors(problem), answers=answers, block=block, **worn)
    np.testing.assert_allclose(fast.average_precisions, slow.average_precisions, atol=1e-12)
    np.testing.assert_allclose(fast.cmc, slow.cmc, atol=1e-12)
    assert fast.mean_inp == pytest.approx(slow.mean_inp, abs=1e-12)
    assert (fast.queries_counted, fast.queries_dropped) == (slow.counted, slow.dropped)
    assert fast.queries_tied == slow.tied
    always = problem[2] == (2 if answers == "other_outfit" else 3)
    assert always.any()
    assert fast.average_precisions[always].isnan().all() == (answers != "any")
    if answers == "any":
        plain = rank(*tensors(problem), block=block)
        assert torch.equal(plain.average_precisions.nan_to_num(-1), fast.average_precisions.nan_to_num(-1))


def test_outfits_by_hand():
    """Own identity at 1, 2 and 4 (other outfit, own, other) around a stranger at 3, who wears the query's."""
    problem, own = line([1, 2, 3, 4], right={0, 1, 3}), torch.tensor([4])
    worn = {"query_outfits": own, "gallery_outfits": torch.tensor([8, 4, 4, 9])}
    assert rank(*problem, answers="any", **worn).mean_ap == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert rank(*problem, answers="same_outfit", **worn).mean_ap == pytest.approx(1)
    assert rank(*problem, answers="other_outfit", **worn).mean_ap == pytest.approx((1 + 2 / 3) / 2)
    # In the query's own camera an item is no answer, whatever it wears.
    seen = line([1, 2, 3, 4], right={0, 1, 3}, cameras=[1, 2, 2, 2])
    assert rank(*seen, answers="other_outfit", **worn).mean_ap == pytest.approx(1 / 2)


def test_answers_that_need_outfits_say_so():
    problem, one = line([1, 2], right={0}), torch.tensor([0])
    with pytest.raises(ValueError, match="answers=same_outfit depends on outfits: give those of the gallery"):
        rank(*problem, answers="same_outfit")
    with pytest.raises(ValueError, match="answers=same_outfit depends on outfits: give those of the queries"):
        rank(*problem, answers="same_outfit", gallery_outfits=torch.tensor([0, 0]))
    with pytest.raises(ValueError, match="'other': choose any, same_outfit or other_outfit"):
        rank(*problem, answers="other")
    with pytest.raises(ValueError, match=r"gallery has 2 descriptors and outfits of shape \(1,\)"):
        rank(*problem, gallery_outfits=one)


@pytest.mark.parametrize(("average_precision", "expected"), [("hits", 0.7222), ("trapezoid", 0.6778)])
def test_hits_at_ranks_1_3_6(average_precision, expected):
    result = rank(
        *line([1, 2, 3, 4, 5, 6, 7], right={0, 2, 5}), average_precision=average_precision, max_rank=7
    )
    assert result.mean_ap == pytest.approx(expected, abs=5e-5)
    assert result.mean_inp == pytest.approx(3 / 6)
    assert result.cmc.tolist() == [1.0] * 7


def test_ties_follow_the_gallery_order():
    # Items 1 (wrong), 2 (right), 3 (wrong) are equally far: the right one comes second.
    result = rank(*line([5, 1, 1, 1], right={2}), max_rank=3)
    assert result.cmc.tolist() == [0, 1, 1]
    assert result.queries_tied == 1
    assert rank(*line([5, 1, 1, 5], right={1, 2})).queries_tied == 0  # both right: no order matters


def test_own_camera_and_junk_take_no_rank():
    query, gallery, qp, gp, qc, gc = line([1, 2, 3, 4], right={0, 3}, cameras=[1, 2, 2, 2])
    gp[1] = -1
    result = rank(query, gallery, qp, gp, qc, gc, max_rank=4)
    assert result.cmc.tolist() == [0, 1, 1, 1]  # only item 2 stands before item 3
    assert rank(query, gallery, qp, gp, qc, gc, max_rank=4, junk_pid=None).cmc.tolist() == [0, 0, 1, 1]


PROTOCOLS = {
    "standard": ({}, lambda pids: pids == pids),
    "no_distractors": ({}, lambda pids: pids != 0),
    "junk_as_wrong": ({"junk_pid": None}, lambda pids: pids == pids),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("size", ["small", "ties", "medium"])
def test_golden_numbers_of_the_released_evaluator(golden_file, size, protocol):
    data = np.load(golden_file(f"c9_metrics_{size}.npz"))
    if size == "medium":
        query, gallery = medium_features(data)
        tolerance, single = 1e-5, 1e-4
    else:
        query, gallery, tolerance, single = data["query"], data["gallery"], 1e-6, 1e-6
    options, keep_of = PROTOCOLS[protocol]
    keep = keep_of(data["g_pid"])
    result = rank(
        *tensors(
            (query, gallery[keep], data["q_pid"], data["g_pid"][keep], data["q_cam"], data["g_cam"][keep])
        ),
        **options,
    )
    np.testing.assert_allclose(result.cmc, data[f"{protocol}_cmc"], atol=tolerance)
    np.testing.assert_allclose(result.average_precisions, data[f"{protocol}_ap_per_query"], atol=single)
    assert result.mean_ap == pytest.approx(float(data[f"{protocol}_mAP"]), abs=tolerance)
    assert result.mean_inp == pytest.approx(float(data[f"{protocol}_mINP"]), abs=tolerance)
    assert result.queries_counted == int(data[f"{protocol}_valid_queries"])


def medium_features(data):
    seed = int(data["seed"])
    centres = normal("c9.medium.centre", (61, 64), seed).double().numpy()
    cameras = normal("c9.medium.camera", (7, 64), seed).double().numpy()
    features = []
    for name, side, count in (("query", "q", 300), ("gallery", "g", 2000)):
        noise = normal(f"c9.medium.{name}", (count, 64), seed).double().numpy()
        pids = data[f"{side}_pid"]
        known = ((pids >= 1) & (pids <= 60))[:, None]
        centre = np.where(known, centres[np.clip(pids, 0, 60)], 0)
        features.append((centre + 0.6 * cameras[data[f"{side}_cam"]] + 1.1 * noise).astype(np.float32))
    np.testing.assert_allclose(features[0][0], data["query_row0"], atol=1e-6)
    np.testing.assert_allclose(features[1][0], data["gallery_row0"], atol=1e-6)
    return features


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_same_bits_for_every_block(distance):
    # Descriptors far from the origin: float32 distances hold few digits, so that near ties abound.
    random = np.random.default_rng(5)
    problem = random_problem(3, queries=700, gallery=3000, width=2, pids=60)
    features = [(30 + random.normal(size=(n, 256))).astype(np.float32) for n in (700, 3000)]
    problem = tensors((*features, *problem[2:]))
    results = [rank(*problem, distance=distance, block=b) for b in (1, 600, 5000)]
    for other in results[1:]:
        assert torch.equal(
            results[0].average_precisions.nan_to_num(-1), other.average_precisions.nan_to_num(-1)
        )
        assert torch.equal(results[0].cmc, other.cmc)
    assert [result.queries_tied for result in results] == [0, 0, 0]
    in_float32 = rank_rows(PairDistances(*problem[:2], distance), 512, *problem[2:])
    assert in_float32.queries_tied > 0


def test_queries_alone_or_together_score_the_same():
    problem = tensors(random_problem(4, queries=30, width=64, ties=False))
    together = rank(*problem).average_precisions
    query, gallery, qp, gp, qc, gc = problem
    alone = [rank(query[i : i + 1], gallery, qp[i : i + 1], gp, qc[i : i + 1], gc) for i in range(30)]
    expected = torch.stack([r.average_precisions[0] for r in alone])
    assert torch.equal(together.nan_to_num(-1), expected.nan_to_num(-1))


def test_collapsed_descriptors_are_visible():
    query, gallery, *ids = tensors(random_problem(0))
    result = rank(torch.ones_like(query), torch.ones_like(gallery), *ids)
    assert result.queries_tied == result.queries_counted > 0


def test_nothing_answered_is_no_crash():
    query, gallery, qp, gp, qc, gc = tensors(random_problem(0))
    result = rank(query, gallery, qp + 1000, gp, qc, gc)
    assert result.queries_counted == 0
    assert result.queries_dropped == len(query)
    assert np.isnan(result.mean_ap)
    assert np.isnan(result.mean_inp)
    assert result.cmc.isnan().all()
    zero = rank(query, gallery, qp + 1000, gp, qc, gc, unanswered="zero")
    assert (zero.mean_ap, zero.queries_counted, zero.queries_dropped) == (0.0, len(query), 0)
    none = rank(query[:0], gallery[:0], qp[:0], gp[:0], qc[:0], gc[:0])
    assert np.isnan(none.mean_ap)


def test_reduced_precision_switches_of_training_change_nothing():
    problem = tensors(random_problem(2, queries=100, gallery=800, width=512, ties=False))
    plain = rank(*problem)
    switch = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            reduced = rank(*problem)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(switch)
    assert torch.equal(plain.average_precisions.nan_to_num(-1), reduced.average_precisions.nan_to_num(-1))


@pytest.mark.parametrize(("side", "name"), [(0, "query"), (1, "gallery")])
@pytest.mark.parametrize(
    ("value", "state"), [(np.nan, "not finite"), (np.inf, "not finite"), (1e20, "too large")]
)
def test_broken_descriptors_are_named(side, name, value, state):
    problem = tensors(random_problem(0))
    problem[side][5, 2] = value
    with pytest.raises(ValueError, match=rf"1 of \d+ {name} descriptors are {state}.*row 5"):
        rank(*problem)


def test_wrong_arguments_are_named():
    problem = tensors(random_problem(0))
    for option, match in (
        ({"distance": "manhattan"}, "manhattan"),
        ({"average_precision": "area"}, "area"),
        ({"unanswered": "half"}, "half"),
        ({"max_rank": 0}, "max_rank"),
    ):
        with pytest.raises(ValueError, match=match):
            rank(*problem, **option)
    with pytest.raises(ValueError, match="5 values a descriptor, the gallery 6"):
        rank(problem[0][:, :5], *problem[1:])
    with pytest.raises(ValueError, match="gallery has 150 descriptors"):
        rank(*problem[:3], problem[3][:9], *problem[4:])


def test_an_empty_gallery_answers_no_query() -> None:
    queries, pids = torch.randn(3, 4), torch.tensor([1, 2, 3])
    none = torch.empty(0, dtype=torch.int64)
    result = rank(queries, torch.empty(0, 4), pids, none, torch.ones(3, dtype=torch.int64), none)
    assert (result.queries_counted, result.queries_dropped) == (0, 3)
    assert torch.isnan(torch.as_tensor(result.cmc)).all()
