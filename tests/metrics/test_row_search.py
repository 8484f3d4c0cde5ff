import numpy as np
import pytest
import torch

from vidreid.metrics.row_search import count_below


@pytest.mark.parametrize("width", [0, 1, 2, 7, 8, 9, 100])
def test_equals_counting(width):
    random = np.random.default_rng(width)
    table = np.sort(random.integers(0, 12, (6, width)).astype(np.float32), axis=1)
    table[2, width // 2 :] = np.inf
    rows = random.integers(0, 6, 40)
    values = random.choice([*range(-1, 13), -np.inf, np.inf], 40).astype(np.float32)
    ordered, wanted = torch.from_numpy(table), (torch.from_numpy(rows), torch.from_numpy(values))
    below = [(table[row] < value).sum() for row, value in zip(rows, values, strict=True)]
    at_most = [(table[row] <= value).sum() for row, value in zip(rows, values, strict=True)]
    assert count_below(ordered, *wanted).tolist() == below
    assert count_below(ordered, *wanted, or_equal=True).tolist() == at_most


def test_rows_may_be_wanted_any_number_of_times():
    ordered = torch.tensor([[1.0, 2, 3], [4.0, 5, 6]])
    rows = torch.tensor([1] * 5)
    assert count_below(ordered, rows, torch.tensor([0.0, 4.5, 5, 6, 9])).tolist() == [0, 1, 1, 2, 3]
    none = torch.empty(0, dtype=torch.int64)
    assert count_below(ordered, none, torch.empty(0)).tolist() == []
