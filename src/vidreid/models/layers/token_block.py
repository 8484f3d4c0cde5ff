"""Transformer blocks of which only the [CLS] row is read: the same result for a fraction of the work.

All functions take timm's ``Block`` (pre-norm: ``x + attention(norm1(x))``, then ``x + mlp(norm2(x))``).

``cls_row`` computes one query, one projection and one MLP instead of N + 1. ``part_rows`` reads the same rows
once for every part: the keys and values are projected once, whatever weighs them. Weights on the *tokens*
(the released KPS) stand before the norm; with ``mu`` and ``v`` the mean and variance of a row and ``xc = x -
mu`` the norm of a weighted row is ``(gamma xc) s + beta`` with ``s = w / sqrt(w^2 v + eps)``, which is linear
in ``gamma xc``. So with ``Kz = (gamma xc) W_k`` the logits are ``s (q . Kz) + q . (beta W_k + b_k)``, and
values likewise.
"""

from typing import Literal, cast

import torch
import torch.nn.functional as F
from timm.layers.attention import Attention
from timm.models.vision_transformer import Block
from torch import Tensor, nn

Weighing = Literal["tokens", "keys", "values"]
"""Where the weight of a row enters: ``tokens`` multiplies the row before the norm (released; the norm cancels
all but the sign); ``keys`` adds ``log w`` to its attention logits; ``values`` multiplies its attention
weight, which is not normalised again."""

FLOOR = 1e-4
"""Added to weights before the logarithm, so that a row far from a part is hardly read, and never
forbidden."""


def cls_row(block: Block, tokens: Tensor) -> Tensor:
    """Return row 0 of ``block(tokens)``, ``(B, D)``.

    Args:
        block: The block.
        tokens: ``(B, N + 1, D)``.
    """
    normed = block.norm1(tokens)
    query, _, _ = _project(block, normed[:, :1])
    key, value = _keys_and_values(block, normed)
    read = F.scaled_dot_product_attention(query, key, value)
    return _finish(block, tokens[:, 0], read.transpose(1, 2).flatten(1))


def run_rows(block: Block, token: Tensor, rows: Tensor, runs: int) -> Tensor:
    """Return, for each of ``runs`` equal runs of rows, row 0 of ``block([token; run])``.

    Args:
        block: The block.
        token: ``(B, D)``.
        rows: ``(B, R, D)``; those behind ``runs * (R // runs)`` are not read.
        runs: Number of runs, ``P``.

    Returns:
        ``(B, P, D)``.
    """
    length = rows.shape[1] // runs
    rows = rows[:, : runs * length]
    own = block.norm1(token).unsqueeze(1)
    query, own_key, own_value = _project(block, own)
    key, value = _keys_and_values(block, block.norm1(rows))
    batch, heads, _, width = key.shape
    # (B, P, heads, 1 + length, d): the token's own key before those of each run.
    key, value = (
        torch.cat(
            [
                first.unsqueeze(1).expand(batch, runs, heads, 1, width),
                rest.view(batch, heads, runs, length, width).transpose(1, 2),
            ],
            dim=3,
        )
        for first, rest in ((own_key, key), (own_value, value))
    )
    query = query.unsqueeze(1).expand(batch, runs, heads, 1, width)
    read = F.scaled_dot_product_attention(query, key, value)
    return _finish(block, token.unsqueeze(1).expand(-1, runs, -1), read.flatten(2))


def part_rows(block: Block, token: Tensor, rows: Tensor, weights: Tensor, weighing: Weighing) -> Tensor:
    """Return, for each part, row 0 of the block over the token and rows weighed for that part.

    Args:
        block: The block.
        token: ``(B, D)``, not weighed.
        rows: ``(B, R, D)``.
        weights: ``(B, P, R)``.
        weighing: Where the weights enter.

    Returns:
        ``(B, P, D)``.
    """
    own = block.norm1(token).unsqueeze(1)
    query, own_key, own_value = (part.squeeze(2) for part in _project(block, own))
    query = query * query.shape[-1] ** -0.5
    if weighing == "tokens":
        return _weighed_tokens(block, token, rows, weights, query, own_key, own_value)
    key, value = _keys_and_values(block, block.norm1(rows))
    logits = torch.einsum("bhd,bhrd->bhr", query, key).unsqueeze(1)
    if weighing == "keys":
        logits = logits + torch.log(weights + FLOOR).unsqueeze(2)
    first = torch.einsum("bhd,bhd->bh", query, own_key)[:, None, :, None].expand(-1, weights.shape[1], -1, -1)
    share = torch.cat([first, logits.expand(-1, weights.shape[1], -1, -1)], dim=3).softmax(dim=3)
    seen = share[..., 1:] if weighing == "keys" else share[..., 1:] * weights.unsqueeze(2)
    read = torch.einsum("bphr,bhrd->bphd", seen, value) + share[..., :1] * own_value.unsqueeze(1)
    return _finish(block, token.unsqueeze(1).expand(-1, weights.shape[1], -1), read.flatten(2))


def cls_attention(block: Block, tokens: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return how much row 0 reads of every row in the attention of a block, in the mean over the heads.

    Args:
        block: The block.
        tokens: ``(B, R, D)``, before the norm.
        bias: Added to the attention logits of every head, ``(B, R)``.

    Returns:
        ``(B, R)``, which sums to 1; its first column is what row 0 reads of itself.
    """
    normed = block.norm1(tokens)
    query, _, _ = _project(block, normed[:, :1])
    key, _ = _keys_and_values(block, normed)
    logits = query.shape[-1] ** -0.5 * (query @ key.transpose(2, 3)).squeeze(2)
    return (logits if bias is None else logits + bias.unsqueeze(1)).softmax(2).mean(1)


def _weighed_tokens(
    block: Block,
    token: Tensor,
    rows: Tensor,
    weights: Tensor,
    query: Tensor,
    own_key: Tensor,
    own_value: Tensor,
) -> Tensor:
    norm = cast(nn.LayerNorm, block.norm1)
    heads, width = query.shape[1:]
    centred = rows - rows.mean(-1, keepdim=True)
    variance = centred.square().mean(-1).unsqueeze(1)
    scale = (weights * torch.rsqrt(weights.square() * variance + norm.eps)).unsqueeze(2)
    _, key_matrix, value_matrix = _attention(block).qkv.weight.chunk(3)
    _, key_bias, value_bias = _bias(block).chunk(3)
    plain = norm.weight * centred
    key, value = (_heads(F.linear(plain, matrix), heads) for matrix in (key_matrix, value_matrix))
    # What every weighed row shares: the image of the norm's bias.
    key_of_bias = F.linear(norm.bias, key_matrix, key_bias).view(heads, width)
    value_of_bias = F.linear(norm.bias, value_matrix, value_bias).view(heads, width)
    logits = scale * torch.einsum("bhd,bhrd->bhr", query, key).unsqueeze(1)
    logits = logits + torch.einsum("bhd,hd->bh", query, key_of_bias)[:, None, :, None]
    parts = weights.shape[1]
    first = torch.einsum("bhd,bhd->bh", query, own_key)[:, None, :, None].expand(-1, parts, -1, -1)
    share = torch.cat([first, logits], dim=3).softmax(dim=3)
    own, others = share[..., :1], share[..., 1:]
    read = torch.einsum("bphr,bhrd->bphd", others * scale, value) + own * own_value.unsqueeze(1)
    read = read + others.sum(-1, keepdim=True) * value_of_bias
    return _finish(block, token.unsqueeze(1).expand(-1, parts, -1), read.flatten(2))


def _project(block: Block, normed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return query, key and value of normed tokens, each ``(B, heads, R, d)``."""
    projected = _attention(block).qkv(normed).unflatten(-1, (3, _attention(block).num_heads, -1))
    query, key, value = projected.permute(2, 0, 3, 1, 4).unbind(0)
    return query, key, value


def _keys_and_values(block: Block, normed: Tensor) -> tuple[Tensor, Tensor]:
    width = normed.shape[-1]
    both = F.linear(normed, _attention(block).qkv.weight[width:], _bias(block)[width:])
    key, value = both.unflatten(-1, (2, _attention(block).num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
    return key, value


def _bias(block: Block) -> Tensor:
    linear = _attention(block).qkv
    return linear.weight.new_zeros(len(linear.weight)) if linear.bias is None else linear.bias


def _attention(block: Block) -> Attention:
    return cast(Attention, block.attn)


def _heads(projected: Tensor, heads: int) -> Tensor:
    return projected.unflatten(-1, (heads, -1)).transpose(1, 2)


def _finish(block: Block, token: Tensor, read: Tensor) -> Tensor:
    """Return ``token`` after the rest of the block, given what its attention read; ``(B, D)`` or ``(B, P,
    D)``."""
    after = token + block.drop_path1(block.ls1(_attention(block).proj(read)))
    return after + block.drop_path2(block.ls2(block.mlp(block.norm2(after))))
