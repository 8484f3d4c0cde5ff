import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from metrics.slow_evaluator import slow_visible_distances
from vidreid.metrics import pair_values as module
from vidreid.metrics.descriptors import Descriptors
from vidreid.metrics.pair_values import UNCOMPARED, PairValues, sum_by_halves
from vidreid.metrics.segments import Segments

CPU = torch.device("cpu")


def sides(width=37, queries=8, items=20):
    make = torch.Generator().manual_seed(width)
    return torch.randn(queries, width, generator=make), torch.randn(items, width, generator=make)


def every_pair(queries, items):
    return torch.cartesian_prod(torch.arange(queries), torch.arange(items)).unbind(dim=1)


def test_euclidean_values_are_exact_to_float64():
    query, gallery = sides()
    rows, items = every_pair(8, 20)
    values = PairValues("euclidean")(Descriptors(query), Descriptors(gallery), rows, items, CPU)
    for row, item, value in zip(rows, items, values.tolist(), strict=True):
        pairs = zip(query[row].tolist(), gallery[item].tolist(), strict=True)
        exact = sum((Fraction(a) - Fraction(b)) ** 2 for a, b in pairs)
        assert abs(Fraction(value) - exact) <= exact * 10 / 2**53


def test_cosine_values():
    query, gallery = sides()
    gallery[3], gallery[4], gallery[5] = 0, 8 * query[2], query[2] + 1e-6 * gallery[5]
    rows, items = every_pair(8, 20)
    values = PairValues("cosine")(Descriptors(query), Descriptors(gallery), rows, items, CPU).view(8, 20)
    for row in range(8):
        for item in range(20):
            a, b = query[row].tolist(), gallery[item].tolist()
            lengths = [math.sqrt(math.fsum(x * x for x in side)) for side in (a, b)]
            product = math.fsum(x * y for x, y in zip(a, b, strict=True))
            expected = 2.0 if item == 3 else 2 - 2 * product / math.prod(lengths)
            assert values[row, item] == pytest.approx(expected, abs=1e-14)
    assert values[2, 4] == 0
    # The angle to item 5 is about 1e-6 |g| / |q|: its square has digits that 2 - 2 cos has lost.
    a, b = query[2].double(), gallery[5].double()
    across = (b - (a @ b) / (a @ a) * a).norm() / b.norm()
    assert float(values[2, 5]) == pytest.approx(float(across**2), rel=1e-6)


def test_visible_values():
    sizes, weights = (5, 1, 3, 3), (4.0, 0.5, 2.0, 1.25)
    query, gallery = sides(12)
    make = torch.Generator().manual_seed(2)
    shows = [torch.rand(len(x), 4, generator=make) < 0.5 for x in (query, gallery)]
    rows, items = every_pair(8, 20)
    values = PairValues("euclidean", Segments(sizes, weights))(
        Descriptors(query, shows[0]), Descriptors(gallery, shows[1]), rows, items, CPU
    )
    expected = slow_visible_distances(query, gallery, *shows, sizes, weights, uncompared=UNCOMPARED)
    assert (expected == UNCOMPARED).any()
    np.testing.assert_allclose(values.view(8, 20), expected, rtol=1e-14)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_a_pair_has_the_same_bits_in_any_company(distance, monkeypatch):
    query, gallery = sides(1027, 30, 50)
    gallery[40] = gallery[7].clone()
    rows, items = every_pair(30, 50)
    compute = PairValues(distance)
    whole = compute(Descriptors(query), Descriptors(gallery), rows, items, CPU)
    assert torch.equal(whole.view(30, 50)[:, 40], whole.view(30, 50)[:, 7])
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        for chunk in (1, 5000, 1 << 21):
            monkeypatch.setattr(module, "_CHUNK_ELEMENTS", {"cpu": chunk})
            assert torch.equal(whole, compute(Descriptors(query), Descriptors(gallery), rows, items, CPU))
    finally:
        torch.set_num_threads(threads)
    one = compute(
        Descriptors(query[3:4]), Descriptors(gallery.T.contiguous().T), rows[:50] * 0, items[:50], CPU
    )
    assert torch.equal(one, whole.view(30, 50)[3])


@pytest.mark.parametrize("width", [0, 1, 2, 3, 7, 64, 1000])
def test_sum_by_halves(width):
    values = torch.from_numpy(np.random.default_rng(width).integers(-99, 99, (5, width))).double()
    expected = values.sum(dim=1)
    assert torch.equal(sum_by_halves(values), expected)
