import numpy as np
import pytest
import torch

from vidreid.metrics import positions as module
from vidreid.metrics.positions import positions, sorted_rows


def slow_positions(distances, queries, items):
    ranks, arbitrary = [], []
    for q, item in zip(queries, items, strict=True):
        order = np.argsort(distances[q], kind="stable")
        ranks.append(int(np.where(order == item)[0][0]) + 1)
        wanted = set(items[queries == q])
        same = set(np.where(distances[q] == distances[q, item])[0])
        arbitrary.append(not same <= wanted)
    return ranks, arbitrary


@pytest.mark.parametrize("levels", [1, 5, 10**6])
@pytest.mark.parametrize("chunk", [1 << 21, 100])
def test_equals_a_stable_argsort(levels, chunk, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK_ELEMENTS", chunk)
    random = np.random.default_rng(levels)
    distances = random.integers(0, levels, (15, 80)).astype(np.float32)
    wanted = random.random((15, 80)) < 0.1
    wanted[4] = False  # a row without wanted items
    distances[(random.random((15, 80)) < 0.2) & ~wanted] = np.inf
    queries, items = np.nonzero(wanted)
    ranks, arbitrary = positions(*(torch.from_numpy(x) for x in (distances, queries, items)))
    expected_ranks, expected_arbitrary = slow_positions(distances, queries, items)
    assert ranks.tolist() == expected_ranks
    assert arbitrary.tolist() == expected_arbitrary


def test_nothing_wanted():
    none = torch.empty(0, dtype=torch.int64)
    ranks, arbitrary = positions(torch.rand(3, 4), none, none)
    assert len(ranks) == len(arbitrary) == 0


def test_sorted_rows_leaves_its_argument_alone():
    values = torch.rand(20, 300, generator=torch.Generator().manual_seed(0))
    values[2, 5] = torch.inf
    before = values.clone()
    assert torch.equal(sorted_rows(values), values.sort(dim=1).values)
    assert torch.equal(values, before)


def test_negative_zero_is_zero():
    # Column 1 holds -0: it is as far as column 0 and comes after it.
    ranks, arbitrary = positions(torch.tensor([[0.0, -0.0, 1.0]]), torch.tensor([0]), torch.tensor([1]))
    assert ranks.tolist() == [2]
    assert arbitrary.tolist() == [True]
