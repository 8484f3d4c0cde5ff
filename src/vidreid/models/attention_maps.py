"""Where a transformer's branches look: the attention of the token that they read, brought back to patches.

Both functions take the trunk's tokens (``TwoBranchTransformer.frame_tokens``), so that the trunk runs once.
What the token reads of itself is left out: the shares of all rows and its own sum to 1, so the maps sum to
less.
"""

from typing import cast

import torch
from timm.models.vision_transformer import Block
from torch import Tensor

from vidreid.models.key_reid.network import KeyReID
from vidreid.models.layers.clip_tokens import ClipTokens, clip_tokens, maps_of_rows
from vidreid.models.layers.token_block import FLOOR, cls_attention
from vidreid.models.two_branch_transformer import TwoBranchTransformer


@torch.no_grad()
def attention_of_global(network: TwoBranchTransformer, frames: Tensor) -> Tensor:
    """Return how much [CLS] reads of every patch of its frame in the global block, in the mean over heads.

    Args:
        network: A network in evaluation mode with a global branch.
        frames: ``(B, T, N + 1, D)``, the trunk's tokens.

    Returns:
        ``(B, T, N)``; with what [CLS] reads of itself every frame sums to 1.

    Raises:
        ValueError: If there is no global branch.
    """
    if network.global_block is None:
        raise ValueError("This network has no global branch to look through: it was built without one.")
    block = cast(Block, network.global_block[0])
    return cls_attention(block, frames.flatten(0, 1))[:, 1:].unflatten(0, frames.shape[:2])


@torch.no_grad()
def attention_of_parts(
    network: TwoBranchTransformer, frames: Tensor, keypoints: Tensor | None = None
) -> Tensor:
    """Return how much the local block's token reads of every patch for each part, in the mean over heads.

    Every patch gets the value of its row: under ``tokens=aligned`` the same in all frames, under ``released``
    that of ``T`` neighbours. Rows that a part does not read (the other stripes) are 0. Under
    ``weighing=values`` the shares are multiplied by the weights, as the network does.

    Args:
        network: A network in evaluation mode with a local branch.
        frames: ``(B, T, N + 1, D)``, the trunk's tokens.
        keypoints: ``(B, T, K, 3)`` in pixels of the input, for KeyRe-ID.

    Returns:
        ``(B, P, T, N)``; with what the token reads of itself the values of the *rows* of a part sum to 1.

    Raises:
        ValueError: If there is no local branch, or keypoints are missing.
    """
    if network.local_block is None:
        raise ValueError("This network has no branch of parts to look through: it was built without one.")
    block = cast(Block, network.local_block[0])
    clip = clip_tokens(frames, network.tokens, network.order)
    if isinstance(network, KeyReID):
        if keypoints is None:
            raise ValueError("KeyRe-ID looks where keypoints are, and there are none: give keypoints.")
        rows = _weighed(network, block, clip, network.guidance(keypoints).to(clip.rows.dtype))
    else:
        rows = _runs(block, clip, len(network.part_names))
    return maps_of_rows(rows, network.tokens, network.order, frames.shape[1], frames.shape[2] - 1)


def _weighed(network: KeyReID, block: Block, clip: ClipTokens, weights: Tensor) -> Tensor:
    """Return the shares of rows that are weighed for each part, ``(B, P, R)``."""
    weighing = network.guidance.weighing
    token, parts = clip.token.unsqueeze(1), []
    for weight in weights.unbind(1):
        if weighing == "tokens":
            shares = cls_attention(block, torch.cat([token, clip.rows * weight.unsqueeze(2)], dim=1))
        else:
            bias = torch.log(weight + FLOOR) if weighing == "keys" else torch.zeros_like(weight)
            bias = torch.cat([torch.zeros_like(bias[:, :1]), bias], dim=1)
            shares = cls_attention(block, torch.cat([token, clip.rows], dim=1), bias)
        parts.append(shares[:, 1:] * weight if weighing == "values" else shares[:, 1:])
    return torch.stack(parts, dim=1)


def _runs(block: Block, clip: ClipTokens, parts: int) -> Tensor:
    """Return the shares of rows that are cut into equal runs, one a part, ``(B, P, R)``."""
    batch, count, _ = clip.rows.shape
    length = count // parts
    shares = clip.rows.new_zeros(batch, parts, count)
    for part in range(parts):
        run = slice(part * length, (part + 1) * length)
        whole = torch.cat([clip.token.unsqueeze(1), clip.rows[:, run]], dim=1)
        shares[:, part, run] = cls_attention(block, whole)[:, 1:]
    return shares
