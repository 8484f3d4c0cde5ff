"""Temporal attention by hand; the released numbers are in test_golden_key_reid."""

import math

import torch

from vidreid.models.layers.temporal_attention import TemporalAttention


def test_by_hand() -> None:
    attention = TemporalAttention(2, hidden=1)
    with torch.no_grad():
        attention.reduce.weight.copy_(torch.tensor([[1.0, -1.0]]))
        attention.reduce.bias.copy_(torch.tensor([0.5]))
        attention.over_time.weight.copy_(torch.tensor([[[1.0, 2.0, 4.0]]]))
        attention.over_time.bias.copy_(torch.tensor([-1.0]))
    frames = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]]])
    # Hidden after the ReLU: 1.5, 0, 2.5. Over time, with zeros outside: 2*1.5 + 4*0 - 1 = 2;
    # 1.5 + 4*2.5 - 1 = 10.5; 0 + 2*2.5 - 1 = 4.
    pooled, scores = attention(frames)
    torch.testing.assert_close(scores, torch.tensor([[2.0, 10.5, 4.0]]))
    weights = [math.exp(score - 10.5) for score in (2.0, 10.5, 4.0)]
    weights = [weight / sum(weights) for weight in weights]
    expected = [weights[0] + 3 * weights[2], 2 * weights[1] + weights[2]]
    torch.testing.assert_close(pooled, torch.tensor([expected]))


def test_scores_of_zero_are_uniform_attention() -> None:
    attention = TemporalAttention(3)
    torch.nn.init.zeros_(attention.over_time.weight)
    frames = torch.randn(2, 5, 3)
    pooled, scores = attention(frames)
    assert not scores.any()
    torch.testing.assert_close(pooled, frames.mean(1))
