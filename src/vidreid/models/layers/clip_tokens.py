"""From the tokens of T frames to the token and the rows that a local branch reads.

Papers and released code disagree about what "flattening the patches of T frames" is:

- ``released``: the memory of ``(T, N + 1, D)`` seen as ``(N + 1, T * D)``. Row ``r`` holds the flat tokens
  ``T r .. T r + T - 1`` of the frames put one after another: T neighbouring patches of *one* frame. The
  token, row 0, is the first frame's [CLS] and its first T - 1 patches; the other frames' [CLS] lie within
  ordinary rows.
- ``aligned``: what the papers say. Row ``n`` holds the same patch of all T frames, the token their [CLS].
- ``frames``: not in the papers. Every patch of every frame is a row of its own, of width ``D``, the T of a
  patch one after another; the token is the mean of the frames' [CLS]. No weight depends on T, and what guides
  the parts can follow the body from frame to frame.
"""

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

Tokens = Literal["released", "aligned", "frames"]


class ClipTokens(NamedTuple):
    """What a local branch reads of a clip.

    Attributes:
        token: ``(B, W)``, the [CLS] of the clip.
        rows: ``(B, R, W)``. ``W`` is ``T * D``, or ``D`` for ``frames``; ``R`` is ``N``, or ``N * T``.
    """

    token: Tensor
    rows: Tensor


def check_tokens(tokens: str) -> None:
    """Refuse what is no way to flatten.

    Raises:
        ValueError: With the choices.
    """
    if tokens not in get_args(Tokens):
        raise ValueError(f"Unknown tokens {tokens!r}: choose one of {', '.join(get_args(Tokens))}.")


def clip_tokens(frames: Tensor, tokens: Tokens, order: Tensor | None = None) -> ClipTokens:
    """Flatten the tokens of a clip.

    Args:
        frames: ``(B, T, N + 1, D)``, [CLS] first, patches in raster order.
        tokens: How.
        order: Which row of patches stands at each place, ``(N',)``; ``None`` leaves them as they are.
    """
    batch, count, length, width = frames.shape
    held = frames if tokens == "released" else frames.transpose(1, 2)
    whole = held.reshape(batch, length, count * width)
    token, rows = whole[:, 0], whole[:, 1:]
    if order is not None:
        rows = rows[:, order]
    if tokens == "frames":
        return ClipTokens(frames[:, :, 0].mean(1), rows.reshape(batch, -1, width))
    return ClipTokens(token, rows)


def clip_maps(maps: Tensor, tokens: Tokens, order: Tensor | None = None) -> Tensor:
    """Flatten maps of patches alike: the value of a row is the mean over the tokens that it holds.

    Args:
        maps: ``(B, T, P, N)``; a [CLS] token counts as 0.
        tokens: How.
        order: As for ``clip_tokens``.

    Returns:
        ``(B, P, R)``.
    """
    batch, count, parts, patches = maps.shape
    if tokens == "released":
        with_cls = torch.cat([maps.new_zeros(batch, count, parts, 1), maps], dim=3).transpose(1, 2)
        held = with_cls.reshape(batch, parts, patches + 1, count)[:, :, 1:]
    else:
        held = maps.permute(0, 2, 3, 1)
    if order is not None:
        held = held[:, :, order]
    return held.flatten(2) if tokens == "frames" else held.mean(3)


def maps_of_rows(values: Tensor, tokens: Tokens, order: Tensor | None, frames: int, patches: int) -> Tensor:
    """Give the value of every row to every token that it holds: the way back of ``clip_maps``.

    A patch whose row stands at two places (see ``shift_shuffle_order``) gets the sum of both. Under
    ``released`` the first frame's first T - 1 patches lie in the token, in no row, and get 0.

    Args:
        values: ``(B, P, R)``.
        tokens: How the clip was flattened.
        order: As for ``clip_tokens``.
        frames: ``T`` of the clip.
        patches: ``N`` of a frame.

    Returns:
        ``(B, P, T, N)``.
    """
    held = values.unflatten(2, (-1, frames if tokens == "frames" else 1))
    if order is not None:
        held = held.new_zeros(*held.shape[:2], patches, held.shape[3]).index_add(2, order, held)
    held = held.expand(-1, -1, -1, frames)
    if tokens != "released":
        return held.transpose(2, 3)
    stream = torch.cat([torch.zeros_like(held[:, :, :1]), held], dim=2).flatten(2)
    return stream.unflatten(2, (frames, patches + 1))[..., 1:]
