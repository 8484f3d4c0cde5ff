"""Blocks of which only [CLS] is read, against whole blocks and against loops, in value and gradient."""

import math

import pytest
import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from vidreid.models.layers.token_block import FLOOR, cls_row, part_rows, run_rows

B, R, P, D, HEADS = 3, 10, 4, 24, 3


def block(drop_path: float = 0.0, qkv_bias: bool = True) -> Block:
    torch.manual_seed(0)
    made = Block(D, HEADS, qkv_bias=qkv_bias, drop_path=drop_path, norm_layer=nn.LayerNorm).double()
    for name, parameter in made.named_parameters():
        if "norm" in name:  # not the ones and zeros that norms begin with
            nn.init.normal_(parameter, mean=1.0 if "weight" in name else 0.0, std=0.3)
    return made


@pytest.fixture
def token() -> Tensor:
    return torch.randn(B, D, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def rows() -> Tensor:
    return torch.randn(B, R, D, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def weights() -> Tensor:
    """Positive, negative, tiny and zero ones."""
    made = torch.randn(B, P, R, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    made[0, 1] *= 1e-3
    made[1, 2] = 0.0
    made[2, 3, ::2] = 0.0
    return made


def same(fast: Tensor, slow: Tensor, made: Block, *inputs: Tensor) -> None:
    """Equal values, and equal gradients of a random sum, by every weight and every input."""
    torch.testing.assert_close(fast, slow)
    direction = torch.randn(fast.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    leaves = [*made.parameters(), *inputs]
    gradients = [
        torch.autograd.grad((out * direction).sum(), leaves, allow_unused=True) for out in (fast, slow)
    ]
    for one, other in zip(*gradients, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("qkv_bias", [True, False])
def test_the_row_of_cls_alone(token: Tensor, rows: Tensor, qkv_bias: bool) -> None:
    made = block(qkv_bias=qkv_bias)
    tokens = torch.cat([token[:, None], rows], 1).requires_grad_()
    same(cls_row(made, tokens), made(tokens)[:, 0], made, tokens)


def test_stochastic_depth_draws_the_same_numbers(token: Tensor, rows: Tensor) -> None:
    made = block(drop_path=0.5).train()
    tokens = torch.cat([token[:, None], rows], 1).repeat(20, 1, 1)
    torch.manual_seed(5)
    fast = cls_row(made, tokens)
    torch.manual_seed(5)
    torch.testing.assert_close(fast, made(tokens)[:, 0])
    assert len({tuple(row.tolist()) for row in fast[::B].round(decimals=8)}) > 1, "some were dropped"


@pytest.mark.parametrize("runs", [1, 2, 3, 5])
def test_runs_of_rows(token: Tensor, rows: Tensor, runs: int) -> None:
    """With 3 runs of 10 rows the last row is not read."""
    made = block()
    token, rows = token.requires_grad_(), rows.requires_grad_()
    length = R // runs
    slow = [
        made(torch.cat([token[:, None], rows[:, i * length : (i + 1) * length]], 1))[:, 0]
        for i in range(runs)
    ]
    same(run_rows(made, token, rows, runs), torch.stack(slow, 1), made, token, rows)


@pytest.mark.parametrize("qkv_bias", [True, False])
def test_weights_on_tokens_stand_before_the_norm(
    token: Tensor, rows: Tensor, weights: Tensor, qkv_bias: bool
) -> None:
    made = block(qkv_bias=qkv_bias)
    token, rows, weights = token.requires_grad_(), rows.requires_grad_(), weights.requires_grad_()
    slow = [made(torch.cat([token[:, None], rows * weights[:, p, :, None]], 1))[:, 0] for p in range(P)]
    same(part_rows(made, token, rows, weights, "tokens"), torch.stack(slow, 1), made, token, rows, weights)


def test_weights_on_keys_are_a_bias_of_the_attention(token: Tensor, rows: Tensor, weights: Tensor) -> None:
    made = block()
    weights = weights.abs().requires_grad_()
    token, rows = token.requires_grad_(), rows.requires_grad_()
    slow = []
    for p in range(P):
        bias = torch.cat([torch.zeros(B, 1, dtype=torch.float64), torch.log(weights[:, p] + FLOOR)], 1)
        mask = bias[:, None, None].expand(-1, 1, R + 1, -1)
        slow.append(made(torch.cat([token[:, None], rows], 1), attn_mask=mask)[:, 0])
    same(part_rows(made, token, rows, weights, "keys"), torch.stack(slow, 1), made, token, rows, weights)


def test_weights_on_values_by_loops(token: Tensor, rows: Tensor, weights: Tensor) -> None:
    """Head by head and row by row, as one would write it down."""
    made = block()
    weights = weights.abs()
    fast = part_rows(made, token, rows, weights, "values")
    width = D // HEADS
    for b in range(B):
        normed = made.norm1(torch.cat([token[b : b + 1], rows[b]]))
        query, key, value = made.attn.qkv(normed).view(R + 1, 3, HEADS, width).unbind(1)
        for p in range(P):
            read = torch.zeros(HEADS, width, dtype=torch.float64)
            for h in range(HEADS):
                logits = [(query[0, h] @ key[r, h]).item() / math.sqrt(width) for r in range(R + 1)]
                total = sum(math.exp(logit) for logit in logits)
                for r in range(R + 1):
                    weight = 1.0 if r == 0 else float(weights[b, p, r - 1])
                    read[h] += weight * math.exp(logits[r]) / total * value[r, h].detach()
            after = token[b] + made.attn.proj(read.flatten())
            torch.testing.assert_close(fast[b, p], after + made.mlp(made.norm2(after)))


def test_a_norm_takes_positive_weights_away(token: Tensor, rows: Tensor) -> None:
    """The finding of the released KPS: on tokens only the sign of a weight is heard, on keys all of it."""
    made = block()
    one, other = torch.rand(2, B, 1, R, dtype=torch.float64, generator=torch.Generator().manual_seed(6)) + 0.1
    on_tokens = [part_rows(made, token, rows, weights, "tokens") for weights in (one, other)]
    torch.testing.assert_close(*on_tokens, atol=1e-3, rtol=1e-3)
    on_keys = [part_rows(made, token, rows, weights, "keys") for weights in (one, other)]
    assert (on_keys[0] - on_keys[1]).abs().max() > 0.05
    turned = part_rows(made, token, rows, -one, "tokens")
    assert (on_tokens[0] - turned).abs().max() > 0.05
