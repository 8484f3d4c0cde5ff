"""Intervals over identities."""

import numpy as np
import pytest
import torch

from metrics.slow_evaluator import random_problem
from vidreid.metrics.bootstrap import percentile_intervals, ranking_intervals
from vidreid.metrics.ranking import rank

# One person with three queries, all right, and one with a single query, wrong. A draw of two people gives
# 1 (a quarter of the draws), 3/4 (a half) or 0 (a quarter).
VALUES, OWNERS = np.array([[1.0], [1.0], [0.0], [1.0]]), np.array([7, 7, 3, 7])


@pytest.mark.parametrize(("level", "bounds"), [(0.95, (0, 1)), (0.52, (0, 1)), (0.4, (0.75, 0.75))])
def test_two_people_by_hand(level, bounds):
    for seed in range(3):
        found = percentile_intervals(VALUES, OWNERS, level=level, draws=4000, seed=seed)
        assert found.tolist() == [list(bounds)]


def test_people_are_drawn_and_not_queries():
    # Draws of single queries would also give 1/4 and 1/2.
    levels = np.linspace(0.01, 0.99, 25)
    seen = {
        float(x)
        for level in levels
        for x in percentile_intervals(VALUES, OWNERS, level=level, draws=401).ravel()
    }
    assert seen == {0.0, 0.75, 1.0}


def test_columns_share_their_draws():
    values = np.random.default_rng(0).random((30, 1))
    owners = np.arange(30) // 3
    found = percentile_intervals(np.concatenate([values, 1 - values, values], axis=1), owners)
    assert found[0].tolist() == found[2].tolist()
    np.testing.assert_allclose(found[1], 1 - found[0][::-1], atol=1e-12)


def test_a_seed_repeats_and_draws_come_in_chunks(monkeypatch):
    values, owners = np.random.default_rng(0).random((50, 3)), np.arange(50) % 17
    found = percentile_intervals(values, owners, seed=5)
    assert np.array_equal(found, percentile_intervals(values, owners, seed=5))
    assert not np.array_equal(found, percentile_intervals(values, owners, seed=6))
    monkeypatch.setattr("vidreid.metrics.bootstrap._CHUNK_ELEMENTS", 200)
    assert np.abs(found - percentile_intervals(values, owners, seed=5)).max() < 0.02


def test_the_truth_is_inside_as_often_as_it_says():
    """People differ in how easily they are found, and their queries go together."""
    random = np.random.default_rng(0)
    inside = inside_by_query = 0
    for trial in range(300):
        easy = random.beta(1, 1, size=80)
        counts = random.integers(1, 12, size=80)
        owners = np.repeat(np.arange(80), counts)
        values = (random.random(len(owners)) < easy[owners]).astype(float)[:, None]
        ((low, high),) = percentile_intervals(values, owners, draws=300, seed=trial)
        inside += low <= 0.5 <= high
        ((low, high),) = percentile_intervals(values, np.arange(len(owners)), draws=300, seed=trial)
        inside_by_query += low <= 0.5 <= high
    assert 0.91 < inside / 300 < 0.98
    assert inside_by_query / 300 < 0.8  # what single queries would promise too much


@pytest.mark.parametrize("unanswered", ["skip", "zero"])
def test_scores_of_a_ranking(unanswered):
    problem = [torch.from_numpy(x) for x in random_problem(3, queries=60)]
    ranking = rank(*problem, unanswered=unanswered)
    found = ranking_intervals(ranking, problem[2], (1, 5, 10), draws=500, seed=2, level=0.9)
    assert found is not None
    assert list(found.bounds) == ["rank1", "rank5", "rank10", "mAP", "mINP"]
    answered = ~ranking.first_ranks.isnan() if unanswered == "skip" else torch.ones(60, dtype=torch.bool)
    people = problem[2][answered].tolist()
    assert found.identities == len(set(people))
    assert (found.level, found.draws, found.seed) == (0.9, 500, 2)
    # One score after the other, one draw after the other, under the same random numbers.
    own = sorted(set(people))
    drawn = np.random.default_rng(2).integers(len(own), size=(500, len(own)))
    first, precisions = ranking.first_ranks[answered].tolist(), ranking.average_precisions[answered].tolist()
    for name, score in (
        ("rank5", [float(place <= 5) for place in first]),
        ("mAP", precisions),
    ):
        of = {p: [s for s, q in zip(score, people, strict=True) if q == p] for p in own}
        means = [np.mean([s for i in row for s in of[own[i]]]) for row in drawn]
        np.testing.assert_allclose(found.bounds[name], np.quantile(means, [0.05, 0.95]), atol=1e-9)


def test_what_makes_no_interval():
    problem = [torch.from_numpy(x) for x in random_problem(3)]
    ranking = rank(*problem)
    for options in ({"draws": 0}, {"level": 1.0}, {"level": 95}):
        with pytest.raises(ValueError, match="takes 1 draw or more and a level between 0 and 1"):
            ranking_intervals(ranking, problem[2], **options)
    nobody = rank(*problem[:2], problem[2] + 100, *problem[3:])
    assert ranking_intervals(nobody, problem[2]) is None
    alone = torch.zeros_like(problem[2])
    assert ranking_intervals(ranking, alone) is None  # the draws are all the same
