import numpy as np
import pytest
import torch

from metrics.slow_evaluator import random_problem, slow_visible_distances
from metrics.slow_reranking import slow_expansion
from vidreid.metrics.ranking import rank, rank_rows
from vidreid.metrics.reranking import AlphaExpansion, AverageExpansion, expanded_queries, query_expansion
from vidreid.metrics.segments import Segments


def sides(seed, ties=True):
    return [torch.from_numpy(side) for side in random_problem(seed, 30, 80, ties=ties)[:2]]


@pytest.mark.parametrize("chunk", [1, 1 << 22])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("alpha", [None, 0, 1, 3.0, 0.5])
@pytest.mark.parametrize("k", [1, 5, 200])
def test_equals_the_slow_twin(k, alpha, distance, chunk, monkeypatch):
    monkeypatch.setattr(query_expansion, "_CHUNK_ELEMENTS", chunk)
    # Cosines in float32 do not tie where those in float64 do, so ties are tried with exact distances only.
    query, gallery = sides(k, ties=distance == "euclidean")
    query, gallery = query + 0.5, gallery + 0.5  # no descriptor without a direction
    before = query.clone(), gallery.clone()
    found, visible = expanded_queries(query, gallery, k, alpha, distance)
    assert visible is None
    np.testing.assert_allclose(found, slow_expansion(query, gallery, k, alpha, distance), atol=1e-5)
    assert torch.equal(query, before[0])
    assert torch.equal(gallery, before[1])


def test_by_hand():
    query = torch.tensor([[1.0, 0.0]])
    gallery = torch.tensor([[0.0, 1.0], [1.0, 1.0], [3.0, 0.0], [-1.0, 0.0]])
    assert expanded_queries(query, gallery, 2)[0].tolist() == [pytest.approx([2 / 3, 2 / 3])]
    # Similarities: 0, sqrt(1/2), 1, -1. Squared: 0, 1/2, 1 and, for what is opposite, 0.
    all_four = expanded_queries(query, gallery, 4, alpha=2)[0]
    assert all_four.tolist() == [pytest.approx([(1 + 0.5 + 3) / 2.5, 0.5 / 2.5])]


def test_visible_parts_by_hand():
    """The mean of a part runs over those that show it; the expanded query shows what one of them shows."""
    segments = Segments((1, 1, 1))
    query, shows = torch.tensor([[1.0, 9.0, 9.0]]), torch.tensor([[True, False, False]])
    gallery = torch.tensor([[2.0, 4.0, 9.0], [3.0, 5.0, 9.0], [9.0, 7.0, 7.0]])
    shown = torch.tensor([[True, True, False], [True, False, False], [False, True, True]])
    found, visible = expanded_queries(query, gallery, 2, None, "euclidean", segments, shows, shown)
    assert found.tolist() == [[2, 4, 0]]
    assert visible is not None
    assert visible.tolist() == [[True, True, False]]
    distances = AverageExpansion(k=2)(query, gallery, "euclidean", segments, shows, shown)(slice(None))
    wanted = slow_visible_distances(found, gallery, visible, shown, (1, 1, 1), (1, 1, 1))
    np.testing.assert_allclose(distances, wanted, atol=1e-5)


@pytest.mark.parametrize("method", [AverageExpansion(k=3), AlphaExpansion(k=3, alpha=2.0)])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_the_expanded_query_asks_again(method, distance):
    problem = [torch.from_numpy(np.asarray(x)) for x in random_problem(2, ties=False)]
    query = torch.from_numpy(slow_expansion(*problem[:2], 3, getattr(method, "alpha", None), distance))
    found = method(*problem[:2], distance)
    again = rank_rows(found, found.tile, *problem[2:])
    expected = rank(query, *problem[1:], distance=distance)
    assert again.mean_ap == pytest.approx(expected.mean_ap, abs=1e-9)
    assert again.mean_ap != pytest.approx(rank(*problem, distance=distance).mean_ap, abs=1e-4)


def test_no_queries():
    found, _ = expanded_queries(torch.ones(0, 3), torch.ones(4, 3), 2)
    assert found.shape == (0, 3)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: AverageExpansion(k=0), "Re-ranking has k=0: give a whole number, at least 1."),
        (lambda: AlphaExpansion(k=1.5), "k=1.5"),
        (lambda: AlphaExpansion(alpha=-1), "Re-ranking has alpha=-1: give a number, at least 0."),
        (lambda: AlphaExpansion(alpha=float("inf")), "alpha=inf"),
    ],
)
def test_settings_out_of_range(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_weights_by_the_cosine_and_hidden_parts_exclude_each_other():
    visible = torch.ones(2, 1, dtype=torch.bool)
    with pytest.raises(ValueError, match="use average_expansion"):
        AlphaExpansion()(torch.ones(2, 3), torch.ones(2, 3), "euclidean", Segments((3,)), visible, visible)
    with pytest.raises(ValueError, match="cannot be compared"):
        AverageExpansion()(torch.ones(2, 3), torch.ones(2, 4))
