import numpy as np
import pytest
import torch

from vidreid.metrics.average_precision import query_scores


def test_two_queries_by_hand():
    # Query 0: ranks 2 and 4 -> 1/2, 2/4. Query 2: rank 1. Query 1: nothing.
    scores = query_scores(torch.tensor([2, 0, 0]), torch.tensor([1, 4, 2]), 3)
    np.testing.assert_allclose(scores.average_precisions, [0.5, np.nan, 1.0])
    np.testing.assert_allclose(scores.inverse_penalties, [2 / 4, np.nan, 1.0])
    np.testing.assert_allclose(scores.first_ranks, [2, np.nan, 1])


def test_trapezoid_by_hand():
    # Ranks 2 and 4: before rank 2 the precision is 0/1, before rank 4 it is 1/3.
    scores = query_scores(torch.tensor([0, 0]), torch.tensor([2, 4]), 1, "trapezoid")
    assert scores.average_precisions.item() == pytest.approx(((0.5 + 0) / 2 + (0.5 + 1 / 3) / 2) / 2)


def test_one_right_answer_is_the_reciprocal_rank():
    ranks = torch.arange(1, 200)
    scores = query_scores(torch.arange(199), ranks, 199)
    np.testing.assert_allclose(scores.average_precisions, 1 / ranks.double())
