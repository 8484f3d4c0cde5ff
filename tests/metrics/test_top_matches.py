import numpy as np
import pytest
import torch

from metrics.slow_evaluator import random_outfits, random_problem
from vidreid.metrics.top_matches import top_matches


@pytest.mark.parametrize(
    ("junk_pid", "answers"), [(-1, "any"), (None, "any"), (-1, "same_outfit"), (None, "other_outfit")]
)
def test_equals_a_loop(junk_pid, answers):
    query, gallery, qp, gp, qc, gc = problem = random_problem(0)
    qo, go = random_outfits(problem, 0)
    wrong = {"any": lambda i, j: False, "same_outfit": lambda i, j: go[j] != qo[i],
             "other_outfit": lambda i, j: go[j] == qo[i]}[answers]  # fmt: skip
    rows, distances = top_matches(
        *(torch.from_numpy(x) for x in problem), 10, junk_pid=junk_pid, answers=answers,
        query_outfits=torch.from_numpy(qo), gallery_outfits=torch.from_numpy(go),
    )  # fmt: skip
    for i in range(len(query)):
        squared = ((gallery - query[i]) ** 2).sum(axis=1)
        allowed = [
            j
            for j in np.argsort(squared, kind="stable")
            if not (gp[j] == qp[i] and (gc[j] == qc[i] or wrong(i, j))) and gp[j] != junk_pid
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
