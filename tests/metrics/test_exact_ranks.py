"""The ranking against its slow twin, with every boundary crossed and every path taken."""

import numpy as np
import pytest
import torch

from metrics.slow_evaluator import random_outfits, random_problem, slow_rank, slow_visible_distances
from vidreid.metrics import counting, crowded, exact_ranks, gallery_sweep, pair_values
from vidreid.metrics.descriptors import Descriptors
from vidreid.metrics.gallery_blocks import GalleryBlocks
from vidreid.metrics.ranking import rank, rank_rows
from vidreid.metrics.segments import Segments
from vidreid.metrics.visible_distances import PairDistances

SIZES, WEIGHTS = (5, 1, 3, 3), (4.0, 0.5, 2.0, 1.25)


def tensors(arrays):
    return [torch.from_numpy(np.asarray(x)) for x in arrays]


def same(fast, slow):
    assert (fast.queries_counted, fast.queries_dropped) == (slow.counted, slow.dropped)
    assert fast.queries_tied == slow.tied
    np.testing.assert_allclose(fast.average_precisions, slow.average_precisions, rtol=0, atol=1e-12)
    np.testing.assert_allclose(fast.cmc, slow.cmc, rtol=0, atol=1e-12)
    np.testing.assert_allclose(fast.mean_inp, slow.mean_inp, rtol=0, atol=1e-12)


def same_bits(results):
    first = results[0]
    for other in results[1:]:
        for name in ("average_precisions", "inverse_penalties", "first_ranks", "cmc"):
            assert torch.equal(getattr(first, name).nan_to_num(-1), getattr(other, name).nan_to_num(-1))
        assert first.queries_tied == other.queries_tied


@pytest.fixture(params=["whole", "tiny", "tiny and crowded", "streamed"])
def tiling(request, monkeypatch):
    """How the work is cut: as it is; into tiles of a few items; all decided exactly; sent block by block."""
    if request.param != "whole":
        monkeypatch.setattr(exact_ranks, "_WIDTH", {"cpu": 7})
        monkeypatch.setattr(exact_ranks, "_FEWEST_ROWS", 1)
        monkeypatch.setattr(exact_ranks, "_GROUP_ELEMENTS", {"cpu": 90})
        monkeypatch.setattr(exact_ranks, "_GROUP_MATCHES", {"cpu": 60})
        for module in (counting, pair_values):
            monkeypatch.setattr(module, "_CHUNK_ELEMENTS", {"cpu": 20})
        monkeypatch.setattr(crowded, "_CHUNK_ELEMENTS", 20)
    if request.param == "tiny and crowded":
        monkeypatch.setattr(counting, "count_nearer", lambda *_: None)
        monkeypatch.setattr(gallery_sweep, "count_nearer", lambda *_: None)
    if request.param == "streamed":
        monkeypatch.setattr(GalleryBlocks, "_lies_here", lambda self: False)
    return 4 if request.param != "whole" else 512


def problem_of(kind, seed):
    """A random problem whose descriptors are of some kind."""
    query, gallery, *ids = random_problem(seed, queries=25, gallery=90, ties=kind in ("ties", "copies"))
    if kind == "copies":
        gallery = gallery[np.random.default_rng(seed).integers(0, 6, len(gallery))]
    elif kind == "equal":
        query, gallery = np.ones_like(query), np.ones_like(gallery)
    elif kind == "nearly equal":  # a few units in the last place apart
        query, gallery = (np.float32(1000) + np.float32(3e-4) * x for x in (query, gallery))
    elif kind == "tiny":
        query, gallery = (np.float32(1e-30) * x for x in (query, gallery))
    elif kind == "huge":
        query, gallery = (np.float32(1e17) * x for x in (query, gallery))
    elif kind == "two clusters":
        for side, pids in ((query, ids[0]), (gallery, ids[1])):
            side *= np.float32(1e-3)
            side[pids % 2 == 0] += np.float32(50)
    return [query.astype(np.float32), gallery.astype(np.float32), *ids]


KINDS = ["normal", "ties", "copies", "equal", "nearly equal", "tiny", "huge", "two clusters"]


@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_slow_evaluator(kind, tiling):
    for seed in range(3):
        problem = problem_of(kind, seed)
        slow = slow_rank(*problem)
        assert slow.dropped > 0
        if kind != "nearly equal":  # on so coarse a grid some are tied
            assert (slow.tied > 10) == (kind in ("ties", "copies", "equal"))
        same(rank(*tensors(problem), block=tiling), slow)


@pytest.mark.parametrize("kind", ["normal", "equal", "nearly equal", "tiny", "huge", "scaled"])
def test_cosine_equals_the_slow_evaluator(kind, tiling):
    problem = problem_of(kind, 1)
    if kind == "scaled":  # by powers of two: the same directions, so ties
        problem[1] = problem[1][np.arange(90) % 9] * np.float32(2) ** np.arange(-45, 45)[:, None]
        problem[1] = problem[1].astype(np.float32)
    # In extended precision: near 0, float64 products lose the digits that tell these angles apart.
    lengthy = [x.astype(np.longdouble) for x in problem[:2]]
    lengthy = [x / np.sqrt((x**2).sum(axis=1, keepdims=True)) for x in lengthy]
    matrix = ((lengthy[0][:, None] - lengthy[1]) ** 2).sum(axis=2)
    if kind in ("equal", "scaled"):
        matrix = matrix.astype(np.float32)  # joins what only rounding told apart
    slow = slow_rank(*problem, matrix=matrix)
    assert (slow.tied > 10) == (kind in ("equal", "scaled"))
    same(rank(*tensors(problem), distance="cosine", block=tiling), slow)


def test_cosine_of_zero_descriptors(tiling):
    """Nothing points anywhere: as far as what stands at a right angle."""
    gallery = np.float32([[-1, 0], [0, 0], [0, 3], [1, 1], [0, 0], [2, 0]])
    pids, twos = np.array([5, 4, 5, 4, 5, 4]), np.full(6, 2)
    query, one = np.float32([[1, 0], [0, 0]]), np.array([1, 1])
    # Query 1: items 5, 3, then 1, 2, 4 all at a right angle, then 0. Query 2: all equally far.
    fast = rank(
        *tensors((query, gallery, np.array([5, 5]), pids, one, twos)), distance="cosine", block=tiling
    )
    expected = [(1 / 4 + 2 / 5 + 3 / 6) / 3, (1 / 1 + 2 / 3 + 3 / 5) / 3]
    np.testing.assert_allclose(fast.average_precisions, expected)
    assert fast.queries_tied == 2


@pytest.mark.parametrize("answers", ["same_outfit", "other_outfit"])
@pytest.mark.parametrize("junk_pid", [-1, None])
def test_outfits_and_junk(answers, junk_pid, tiling):
    problem = problem_of("ties", 4)
    worn = random_outfits(problem, 4)
    options = {"answers": answers, "junk_pid": junk_pid, "average_precision": "trapezoid"}
    slow = slow_rank(*problem, query_outfits=worn[0], gallery_outfits=worn[1], **options)
    query_outfits, gallery_outfits = tensors(worn)
    fast = rank(
        *tensors(problem),
        query_outfits=query_outfits,
        gallery_outfits=gallery_outfits,
        block=tiling,
        **options,
    )
    same(fast, slow)


@pytest.mark.parametrize("kind", ["normal", "ties", "copies", "equal", "nearly equal", "weights"])
def test_visible_segments(kind, tiling):
    weights = (1e-30, 0.5, 2.0, 1e30) if kind == "weights" else WEIGHTS
    for seed in range(2):
        problem = problem_of(kind, seed)
        random = np.random.default_rng(seed)
        wide = [np.tile(x, (1, 2)) for x in problem[:2]]
        shows = [random.random((len(x), len(SIZES))) < 0.6 for x in wide]
        shows[0][:2], shows[1][::9] = False, False
        matrix = slow_visible_distances(*wide, *shows, SIZES, weights, uncompared=np.inf)
        if kind == "equal":
            matrix[matrix < np.inf] = 0
        for features, visible in zip(wide, shows, strict=True):  # what is hidden may be anything
            features[~visible.repeat(SIZES, axis=1)] = np.nan
        slow = slow_rank(*problem, matrix=matrix)
        query_visible, gallery_visible = tensors(shows)
        fast = rank(
            *tensors((*wide, *problem[2:])), segments=Segments(SIZES, weights), block=tiling,
            query_visible=query_visible, gallery_visible=gallery_visible,
        )  # fmt: skip
        same(fast, slow)


def test_without_a_common_part_all_are_last_and_tied():
    gallery = torch.tensor([[9.0, 0], [9, 0], [0, 5], [0, 1], [7, 0]])
    shows = torch.tensor([[True, False], [True, False], [False, True], [False, True], [True, False]])
    pids, ones = torch.tensor([3, 8, 3, 3, 8]), torch.tensor([1])
    result = rank(
        torch.zeros(1, 2), gallery, torch.tensor([8]), pids, ones, torch.full((5,), 2),
        segments=Segments((1, 1)), query_visible=torch.tensor([[False, True]]), gallery_visible=shows,
    )  # fmt: skip
    # Compared: items 3 and 2, both wrong. Then 0 (wrong), 1 and 4 (right) in the order of the gallery.
    assert result.average_precisions.tolist() == [pytest.approx((1 / 4 + 2 / 5) / 2)]
    assert result.queries_tied == 1


def test_near_ties_are_decided_as_float64_says(tiling):
    """Distances 1 + k^2 / 2^40, k = 0..8: all the same in float32."""
    steps = np.array([5, 2, 8, 0, 3, 7, 1, 6, 4])
    gallery = np.stack([np.ones(9), steps / 2**20], axis=1).astype(np.float32)
    assert len(np.unique((gallery**2).sum(axis=1))) == 1
    pids = np.where(np.isin(steps, [2, 3, 7]), 1, 9)
    ones = np.array([1])
    problem = tensors((np.zeros((1, 2), np.float32), gallery, ones, pids, ones, np.full(9, 2)))
    result = rank(*problem, block=tiling)
    assert result.average_precisions[0] == pytest.approx((1 / 3 + 2 / 4 + 3 / 8) / 3, abs=1e-15)
    assert result.queries_tied == 0
    assert rank_rows(PairDistances(*problem[:2]), 512, *problem[2:]).queries_tied == 1


def test_same_bits_for_every_tile_and_thread(monkeypatch):
    problem = tensors(random_problem(3, queries=150, gallery=700, width=2, pids=30))
    make = torch.Generator().manual_seed(0)
    for side in (0, 1):  # far from the origin, and with copies
        problem[side] = 30 + torch.randn(len(problem[side]), 130, generator=make)
        problem[side][::5] = problem[side][::5][:1]
    threads = torch.get_num_threads()
    results = []
    try:
        for count, width, rows, group, crowd in (
            (1, 512, 64, 1 << 23, 32), (2, 512, 64, 1 << 23, 32), (1, 100, 1, 130, 32),
            (1, 33, 40, 5000, 1 << 40), (2, 9000, 64, 1 << 23, 1 << 40), (1, 300, 64, 5000, 1),
        ):  # fmt: skip
            torch.set_num_threads(count)
            monkeypatch.setattr(exact_ranks, "_WIDTH", {"cpu": width})
            monkeypatch.setattr(exact_ranks, "_FEWEST_ROWS", rows)
            monkeypatch.setattr(exact_ranks, "_GROUP_ELEMENTS", {"cpu": group})
            monkeypatch.setattr(gallery_sweep, "_CROWD", crowd)
            results += [rank(*problem, block=block) for block in (1, 70, 512)]
    finally:
        torch.set_num_threads(threads)
    assert results[0].queries_tied > 0
    same_bits(results)


def test_groups_hold_as_many_queries_and_matches_as_fit(monkeypatch):
    monkeypatch.setattr(exact_ranks, "_GROUP_ELEMENTS", {"cpu": 4 * 3})
    monkeypatch.setattr(exact_ranks, "_GROUP_MATCHES", {"cpu": 10})
    monkeypatch.setattr(exact_ranks, "_BLOCK_ELEMENTS", {"cpu": 4 * 2})
    some = Descriptors(torch.zeros(10, 4))
    ranks = exact_ranks.ExactRanks(some, some, "euclidean", None, 512, torch.device("cpu"))
    matches = torch.tensor([0, 1, 2, 9, 1, 30, 0, 10, 0, 0])
    groups = [(rows.start, rows.stop) for rows in ranks.groups(matches)]
    assert groups == [(0, 3), (3, 5), (5, 6), (6, 9), (9, 10)]
    assert list(ranks.groups(matches[:0])) == []


def test_numbers_of_other_types_are_float32():
    problem = tensors(random_problem(5))
    plain = rank(*problem)
    for kind in (torch.float16, torch.bfloat16, torch.float64):  # small integers: the same in all types
        same_bits([plain, rank(problem[0].to(kind), problem[1].to(kind), *problem[2:])])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_a_gpu_gives_the_same_bits(kind, distance):
    problem = tensors(problem_of(kind, 0))
    there = [x.cuda() for x in problem]
    results = [
        rank(*problem, distance=distance),
        rank(*there, distance=distance),
        rank(*problem, distance=distance, device="cuda"),
        rank(*there, distance=distance, device="cpu"),
    ]
    same_bits(results)
