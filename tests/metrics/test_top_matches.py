import numpy as np
import pytest
import torch

from metrics.slow_evaluator import random_problem
from vidreid.metrics.top_matches import top_matches


@pytest.mark.parametrize("junk_pid", [-1, None])
def test_equals_a_loop(junk_pid):
    query, gallery, qp, gp, qc, gc = random_problem(0)
    rows, distances = top_matches(
        *(torch.from_numpy(x) for x in (query, gallery, qp, gp, qc, gc)), 10, junk_pid=junk_pid
    )
    for i in range(len(query)):
        squared = ((gallery - query[i]) ** 2).sum(axis=1)
        allowed = [
            j
            for j in np.argsort(squared, kind="stable")
            if not (gp[j] == qp[i] and gc[j] == qc[i]) and gp[j] != junk_pid
        ][:10]
        assert rows[i].tolist() == allowed
        assert distances[i].tolist() == squared[allowed].tolist()


def test_fewer_items_than_asked_for():
    gallery = torch.tensor([[0.0], [1.0], [2.0]])
    rows, distances = top_matches(
        torch.zeros(1, 1), gallery, torch.tensor([4]), torch.tensor([4, 5, -1]), torch.tensor([1]),
        torch.tensor([1, 1, 1]), k=5,
    )  # fmt: skip
    assert rows.tolist() == [[1, -1, -1, -1, -1]]
    assert distances[0, 0] == 1
    assert torch.isinf(distances[0, 1:]).all()
