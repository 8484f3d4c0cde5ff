import numpy as np
import pytest
import torch

from metrics.slow_evaluator import random_problem
from metrics.slow_reranking import all_pairs, slow_k_reciprocal, squared_distances, visible_distances
from models.golden_files import golden_files, load
from vidreid.metrics.ranking import rank, rank_rows
from vidreid.metrics.reranking import KReciprocal
from vidreid.metrics.reranking.item_distances import DescriptorDistances, MatrixDistances
from vidreid.metrics.reranking.k_reciprocal import KReciprocalDistances
from vidreid.metrics.reranking.neighbours import nearest, neighbour_lists
from vidreid.metrics.reranking.reciprocal_sets import half_length
from vidreid.metrics.segments import Segments

MATRICES = ("query_gallery", "query_query", "gallery_gallery")


def features(seed, queries=25, gallery=90, ties=True, width=6):
    """Descriptors of both sides, and all distances among them as float64."""
    query, items = random_problem(seed, queries, gallery, width, ties=ties)[:2]
    return torch.from_numpy(query), torch.from_numpy(items), squared_distances(np.concatenate([query, items]))


def whole(distances):
    return distances(slice(None)).numpy()


@golden_files("c9_rerank*.npz")
def test_equals_the_released_numbers(path):
    case = load(path)
    matrices = [torch.from_numpy(case[name]) for name in MATRICES]
    assert len(case["settings"]) > 0
    for number, (k1, k2, lambda_) in enumerate(case["settings"].tolist()):
        method = KReciprocal(round(k1), round(k2), lambda_, squared_again=True)
        given = whole(method.of_matrices(*matrices))
        own = whole(method(torch.from_numpy(case["query"]), torch.from_numpy(case["gallery"])))
        np.testing.assert_allclose(given, case[f"final_{number}"], rtol=0, atol=1e-5)
        np.testing.assert_allclose(own, case[f"final_{number}"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("squared_again", [True, False])
@pytest.mark.parametrize(
    ("k1", "k2", "lambda_"),
    [(20, 6, 0.3), (7, 3, 0.5), (9, 1, 0.3), (1, 1, 0), (2, 4, 0.1), (50, 9, 1), (64, 30, 0.3), (99, 99, 0)],
)  # fmt: skip
def test_equals_the_slow_twin(k1, k2, lambda_, squared_again, ties):
    query, gallery, pairs = features(k1, 15, 50, ties=ties)
    expected = slow_k_reciprocal(pairs, len(query), k1, k2, lambda_, squared_again)
    method = KReciprocal(k1, k2, lambda_, squared_again)
    np.testing.assert_allclose(whole(method(query, gallery)), expected, rtol=0, atol=2e-6)
    stop = len(query)
    parts = pairs[:stop, stop:], pairs[:stop, :stop], pairs[stop:, stop:]
    given = method.of_matrices(*[torch.from_numpy(part) for part in parts])
    np.testing.assert_allclose(whole(given), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("seed", range(4))
def test_many_copies_of_few_descriptors(seed):
    """More items at one place than a list holds: some are in nobody's list, not even in their own."""
    query, gallery, pairs = features(seed, width=1)
    expected = slow_k_reciprocal(pairs, len(query), k1=8, k2=3)
    np.testing.assert_allclose(whole(KReciprocal(k1=8, k2=3)(query, gallery)), expected, rtol=0, atol=2e-6)
    same = torch.ones(30, 4)
    assert np.isfinite(whole(KReciprocal()(same[:10], same))).all()


def test_over_the_parts_that_show():
    sizes, weights = (3, 2, 1), (3.0, 1.0, 2.0)
    query, gallery, _ = features(3)
    make = torch.Generator().manual_seed(3)
    visible = [torch.rand(len(side), 3, generator=make) < 0.6 for side in (query, gallery)]
    arrays = [x.numpy() for x in (query, gallery, *visible)]
    pairs = visible_distances(*arrays, sizes, weights)
    expected = slow_k_reciprocal(pairs, len(query), 9, 4, 0.3)
    segments = Segments(sizes, weights)
    found = KReciprocal(9, 4)(query, gallery, "euclidean", segments, *visible)
    np.testing.assert_allclose(whole(found), expected, rtol=0, atol=2e-6)


def test_with_cosine_distances():
    query, gallery, _ = features(4, ties=False)
    unit = [torch.nn.functional.normalize(side.double(), dim=1) for side in (query, gallery)]
    expected = slow_k_reciprocal(squared_distances(torch.cat(unit)), len(query))
    np.testing.assert_allclose(whole(KReciprocal()(query, gallery, "cosine")), expected, atol=1e-5)


def test_matrices_that_are_not_symmetric_are_read_by_column():
    random = np.random.default_rng(0)
    matrices = [random.random(shape) for shape in ((7, 30), (7, 7), (30, 30))]
    pairs = all_pairs(matrices[0], matrices[1].T, matrices[2].T)
    found = KReciprocal(5, 2).of_matrices(*[torch.from_numpy(matrix) for matrix in matrices])
    np.testing.assert_allclose(whole(found), slow_k_reciprocal(pairs, 7, 5, 2), rtol=0, atol=2e-6)


class Watched:
    """Distances that count what is asked for, a tile at a time."""

    def __init__(self, inner, tile):
        self.inner, self.total, self.tile, self.device = inner, inner.total, tile, inner.device
        self.asked = []

    def __call__(self, rows):
        self.asked.append(len(rows))
        return self.inner(rows)


@pytest.mark.parametrize("kind", ["descriptors", "matrices"])
def test_does_not_depend_on_blocks(kind):
    query, gallery, _ = features(5, ties=False, width=3)
    if kind == "descriptors":
        inner = DescriptorDistances(query, gallery)
    else:
        distances = torch.cdist(torch.cat([query, gallery]), torch.cat([query, gallery]))
        inner = MatrixDistances(distances[:25, 25:], distances[:25, :25], distances[25:, 25:])
    expected = whole(KReciprocalDistances(inner, len(query), KReciprocal(20, 3)))
    assert len(np.unique(expected)) > 1000
    for tile in (1, 7, 115, 512):
        watched = Watched(inner, tile)
        found = KReciprocalDistances(watched, len(query), KReciprocal(20, 3))
        assert max(watched.asked) <= tile
        again = sum(watched.asked) - watched.total
        assert 2 * tile < again < watched.total or tile > 7, "some members are in no list"
        for step in (1, 6, 25):
            rows = [found(slice(start, start + step)) for start in range(0, 25, step)]
            np.testing.assert_array_equal(torch.cat(rows).numpy(), expected)


@pytest.mark.parametrize("step", [1, 10, 1000])
def test_lists_do_not_depend_on_blocks(step):
    query, gallery, pairs = features(6)
    lists = neighbour_lists(DescriptorDistances(query, gallery), 12, step)
    np.testing.assert_array_equal(lists.items, np.argsort(pairs, axis=1, kind="stable")[:, :12])
    np.testing.assert_array_equal(lists.distances, np.sort(pairs, axis=1)[:, :12])
    np.testing.assert_array_equal(lists.maxima, pairs.max(axis=1))


def test_of_equal_distances_the_lower_column_comes_first():
    values, columns = nearest(torch.tensor([[3.0, 0.0, 1.0, -0.0, 1.0, 1.0]]), 4)
    assert columns.tolist() == [[1, 3, 2, 4]]
    assert values.tolist() == [[0, 0, 1, 1]]
    assert nearest(torch.ones(2, 3), 9)[1].tolist() == [[0, 1, 2]] * 2


def test_half_of_a_neighbourhood_rounds_to_even():
    assert [half_length(k1) for k1 in (1, 2, 3, 5, 7, 20, 21, 23)] == [1, 2, 3, 3, 5, 11, 11, 13]


def test_scale_and_order_do_not_matter():
    query, gallery, _ = features(7, ties=False)
    expected = whole(KReciprocal()(query, gallery))
    np.testing.assert_array_equal(whole(KReciprocal()(query * 4, gallery * 4)), expected)
    order = torch.randperm(len(gallery), generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(whole(KReciprocal()(query, gallery[order])), expected[:, order], atol=1e-6)
    turned = KReciprocal()(query.flip(0), gallery)
    np.testing.assert_allclose(whole(turned), expected[::-1], atol=1e-6)
    asked = query.clone()
    KReciprocal()(query, gallery)(slice(0, 5))
    assert torch.equal(query, asked)


def test_whole_weight_on_the_original_distance_is_the_plain_ranking():
    problem = [torch.from_numpy(np.asarray(x)) for x in random_problem(8)]
    found = KReciprocal(lambda_=1)(*problem[:2])
    again, plain = rank_rows(found, 7, *problem[2:]), rank(*problem)
    assert torch.equal(again.average_precisions.nan_to_num(-1), plain.average_precisions.nan_to_num(-1))
    assert torch.equal(again.cmc, plain.cmc)
    assert again.queries_tied == plain.queries_tied > 0


def test_by_hand():
    """On a line: the query and the first item are each other's nearest, and so are the other two."""
    query, gallery = torch.tensor([[0.0]]), torch.tensor([[1.0], [-1.5], [-2.0]])
    # Squared distances of the query: 1, 2.25, 4; of the first item: 1, 6.25, 9; divided by the largest.
    own = np.array([1, np.exp(-1 / 4)]) / (1 + np.exp(-1 / 4))
    item = np.array([np.exp(-1 / 9), 1]) / (1 + np.exp(-1 / 9))
    common = min(own[0], item[0]) + min(own[1], item[1])
    jaccard = np.array([1 - common / (2 - common), 1, 1])
    expected = 0.7 * jaccard + 0.3 * np.array([1 / 4, 2.25 / 4, 1])
    np.testing.assert_allclose(whole(KReciprocal(k1=1, k2=1)(query, gallery)), [expected], atol=1e-6)
    again = 0.3 * (np.array([1 / 4, 2.25 / 4, 1]) ** 2)
    found = whole(KReciprocal(k1=1, k2=1, squared_again=True)(query, gallery))
    np.testing.assert_allclose(found[0, 1:], 0.7 + again[1:], atol=1e-6)


@pytest.mark.parametrize(("queries", "items"), [(0, 5), (4, 0), (1, 1), (0, 0)])
def test_hardly_anything_to_rank(queries, items):
    found = KReciprocal()(torch.ones(queries, 3), torch.ones(items, 3))
    assert whole(found).shape == (queries, items)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"k1": 0}, "Re-ranking has k1=0: give a whole number, at least 1."),
        ({"k1": 2.5}, "k1=2.5"),
        ({"k2": "six"}, "k2=six"),
        ({"k2": True}, "k2=True"),
        ({"lambda_": 1.1}, "Re-ranking has lambda_=1.1: give a number, between 0 and 1."),
        ({"lambda_": float("nan")}, "lambda_=nan"),
        ({"lambda_": "some"}, "lambda_=some"),
    ],
)
def test_settings_out_of_range(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        KReciprocal(**options)


def test_what_does_not_go_together():
    query, gallery, _ = features(0)
    with pytest.raises(ValueError, match="cannot be compared"):
        KReciprocal()(query[:, :3], gallery)
    with pytest.raises(ValueError, match="visibility of queries and gallery"):
        KReciprocal()(query, gallery, "euclidean", Segments((6,)), None, torch.ones(90, 1, dtype=torch.bool))
    ones = torch.ones(4, 4)
    with pytest.raises(ValueError, match="do not go together"):
        KReciprocal().of_matrices(ones, ones, ones[:3, :3])
    with pytest.raises(ValueError, match="query-query distances hold a value that is negative"):
        KReciprocal().of_matrices(ones, -ones, ones)
    with pytest.raises(ValueError, match=r"gallery-gallery distances .* not finite"):
        KReciprocal().of_matrices(ones, ones, ones * torch.nan)
