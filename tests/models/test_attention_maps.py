"""Where branches look, against the whole block with its attention matrices written out."""

import itertools
from typing import Any

import pytest
import torch
from timm.models.vision_transformer import Block
from torch import Tensor

from vidreid.models.attention_maps import attention_of_global, attention_of_parts
from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.key_reid import KeyReID
from vidreid.models.layers.clip_tokens import clip_tokens
from vidreid.models.layers.token_block import FLOOR
from vidreid.models.two_branch_transformer import TwoBranchTransformer
from vidreid.models.vid_trans_reid import TransReID, VidTransReID

T, N, ROWS, COLUMNS = 3, 8, 4, 2


def trunk(height: int = 32) -> VisionTransformer:
    return VisionTransformer(
        "vit_tiny_patch16_224", height=height, width=16, stride=None, camera=False, patch=8, embedding=12,
        depth=2, heads=3,
    )  # fmt: skip


def keypoints(batch: int = 2, frames: int = T) -> Tensor:
    points = torch.rand(batch, frames, 17, 3) * torch.tensor([16.0, 32.0, 1.0])
    points[0, :, 7:11, 2] = 0  # a clip without arms
    return points


def shaken(network: TwoBranchTransformer) -> TwoBranchTransformer:
    """Weights large enough that no attention is flat, and biases and norms that are not 0 and 1."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.4 * torch.randn_like(parameter))
    return network.eval()


def watched_block(
    block: torch.nn.Module, tokens: Tensor, bias: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Run a block of timm on one sample ``(R, D)`` by hand; return row 0 and its mean attention."""
    assert isinstance(block, Block)
    heads, width = block.attn.num_heads, tokens.shape[1]
    normed = block.norm1(tokens)
    query, key, value = block.attn.qkv(normed).split(width, dim=1)
    read, matrices = [], []
    for head in range(heads):
        own = slice(head * width // heads, (head + 1) * width // heads)
        logits = query[:, own] @ key[:, own].T / (width // heads) ** 0.5
        matrix = torch.softmax(logits if bias is None else logits + bias, dim=1)
        matrices.append(matrix)
        read.append(matrix @ value[:, own])
    after = tokens + block.attn.proj(torch.cat(read, dim=1))
    after = after + block.mlp(block.norm2(after))
    return after[0], torch.stack(matrices).mean(0)[0]


def tokens_of_rows(network: TwoBranchTransformer) -> list[list[tuple[int, int]]]:
    """List by hand which (frame, patch) every row holds, in the order in which rows stand; no [CLS]."""
    if network.tokens == "released":
        stream = [(t, n - 1) for t in range(T) for n in range(N + 1)]  # patch -1 is [CLS]
        groups = [stream[T * row : T * row + T] for row in range(1, N + 1)]
    else:
        groups = [[(t, n) for t in range(T)] for n in range(N)]
    if network.order is not None:
        groups = [groups[row] for row in network.order.tolist()]
    if network.tokens == "frames":
        groups = [[token] for group in groups for token in group]
    return [[(t, n) for t, n in group if n >= 0] for group in groups]


def row_vectors(network: TwoBranchTransformer, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Return token ``(W,)`` and rows ``(R, W)`` of one clip ``(T, N + 1, D)``, by hand."""
    width = frames.shape[-1]
    if network.tokens == "released":
        whole = frames.reshape(-1).reshape(N + 1, T * width)
        token, rows = whole[0], list(whole[1:])
    else:
        token = frames[:, 0].reshape(-1) if network.tokens == "aligned" else frames[:, 0].mean(0)
        rows = [frames[:, n].reshape(-1) for n in range(1, N + 1)]
    if network.order is not None:
        rows = [rows[row] for row in network.order.tolist()]
    if network.tokens == "frames":
        rows = [piece for row in rows for piece in row.split(width)]
    return token, torch.stack(rows)


def spread(network: TwoBranchTransformer, shares: dict[int, float]) -> Tensor:
    """Add the share of every row to the tokens that it holds, ``(T, N)``."""
    maps = torch.zeros(T, N)
    groups = tokens_of_rows(network)
    for row, share in shares.items():
        for t, n in groups[row]:
            maps[t, n] += share
    return maps


@pytest.mark.parametrize(
    ("tokens", "guidance", "weighing", "shuffle"),
    [
        (tokens, guidance, weighing, shuffle)
        for tokens, (guidance, weighing), shuffle in itertools.product(
            ("frames", "aligned", "released"),
            (("fixed", "keys"), ("fixed", "values"), ("paper", "keys"), ("released", "keys")),
            (True, False),
        )
        if (tokens, guidance) != ("frames", "released")
    ],
)
@torch.no_grad()
def test_parts_of_key_reid(tokens: Any, guidance: Any, weighing: Any, shuffle: bool) -> None:
    torch.manual_seed(0)
    network = KeyReID(
        5,
        trunk(),
        frames=T,
        tokens=tokens,
        part_guidance=guidance,
        weighing=weighing,
        shuffle=shuffle,
        shift=3,
    )
    shaken(network)
    frames, points = torch.randn(2, T, N + 1, 12), keypoints()
    maps = attention_of_parts(network, frames, points)
    assert maps.shape == (2, 6, T, N)
    weights = network.guidance(points)
    for clip, part in itertools.product(range(2), range(6)):
        token, rows = row_vectors(network, frames[clip])
        weight = weights[clip, part]
        bias = None
        if guidance != "fixed":
            rows = rows * weight[:, None]
        elif weighing == "keys":
            bias = torch.cat([torch.zeros(1), torch.log(weight + FLOOR)])
        assert network.local_block is not None
        after, shares = watched_block(network.local_block[0], torch.cat([token[None], rows]), bias)
        assert shares.sum() == pytest.approx(1, abs=1e-5)
        if weighing == "values" and guidance == "fixed":
            shares = torch.cat([shares[:1], shares[1:] * weight])
        else:  # the block that was watched is the network's
            read = network.read_parts(clip_tokens(frames, network.tokens, network.order), points)
            torch.testing.assert_close(after, read[clip, part], rtol=1e-3, atol=1e-4)
        expected = spread(network, dict(enumerate(shares[1:].tolist())))
        torch.testing.assert_close(maps[clip, part], expected, rtol=1e-4, atol=1e-6)
        if tokens == "aligned":
            assert (maps[clip, part] == maps[clip, part, :1]).all()


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("tokens", ["frames", "aligned", "released"])
@torch.no_grad()
def test_stripes_see_their_run_alone(tokens: Any, shuffle: bool) -> None:
    torch.manual_seed(1)
    network = VidTransReID(5, trunk(), frames=T, tokens=tokens, parts=3, shuffle=shuffle, shift=2)
    shaken(network)
    frames = torch.randn(2, T, N + 1, 12)
    maps = attention_of_parts(network, frames)
    assert maps.shape == (2, 3, T, N)
    for clip, part in itertools.product(range(2), range(3)):
        token, rows = row_vectors(network, frames[clip])
        length = len(rows) // 3
        run = range(part * length, (part + 1) * length)
        assert network.local_block is not None
        _, shares = watched_block(
            network.local_block[0], torch.cat([token[None], rows[run.start : run.stop]])
        )
        expected = spread(network, dict(zip(run, shares[1:].tolist(), strict=True)))
        torch.testing.assert_close(maps[clip, part], expected, rtol=1e-4, atol=1e-6)
    if tokens != "released":
        assert (maps > 0).sum(1).max() == 1  # no patch is read by two


@torch.no_grad()
def test_a_row_that_stands_at_two_places_counts_twice() -> None:
    """An odd number of patches: one of them is repeated, and its shares are added."""
    torch.manual_seed(2)
    backbone = VisionTransformer(
        "vit_tiny_patch16_224", height=24, width=24, stride=None, camera=False, patch=8, embedding=12,
        depth=2, heads=3,
    )  # fmt: skip
    network = shaken(VidTransReID(5, backbone, frames=2, tokens="aligned", parts=2, shuffle=True, shift=2))
    assert network.order is not None
    assert len(network.order) == 10
    frames = torch.randn(1, 2, 10, 12)
    maps = attention_of_parts(network, frames)[0]
    token, rows = frames[0, :, 0].reshape(-1), frames[0, :, 1:].transpose(0, 1).reshape(9, -1)
    expected = torch.zeros(2, 9)
    assert network.local_block is not None
    for part, places in enumerate((range(5), range(5, 10))):
        order = [int(network.order[place]) for place in places]
        _, shares = watched_block(network.local_block[0], torch.cat([token[None], rows[order]]))
        for patch, share in zip(order, shares[1:].tolist(), strict=True):
            expected[part, patch] += share
    torch.testing.assert_close(maps, expected.unsqueeze(1).expand(2, 2, 9), rtol=1e-4, atol=1e-6)


@torch.no_grad()
def test_global_looks_frame_by_frame() -> None:
    torch.manual_seed(3)
    network = shaken(VidTransReID(5, trunk(), frames=T))
    frames = torch.randn(2, T, N + 1, 12)
    maps = attention_of_global(network, frames)
    assert network.global_block is not None
    for clip, frame in itertools.product(range(2), range(T)):
        _, shares = watched_block(network.global_block[0], frames[clip, frame])
        torch.testing.assert_close(maps[clip, frame], shares[1:], rtol=1e-4, atol=1e-6)
        assert float(maps[clip, frame].sum() + shares[0]) == pytest.approx(1, abs=1e-5)


def test_trans_reid_looks_at_single_frames() -> None:
    network = shaken(TransReID(5, trunk(), parts=2))
    maps = attention_of_parts(network, torch.randn(4, 1, N + 1, 12))
    assert maps.shape == (4, 2, 1, N)
    assert not maps.requires_grad


def test_what_is_missing_is_named() -> None:
    frames = torch.randn(1, T, N + 1, 12)
    with pytest.raises(ValueError, match="no global branch"):
        attention_of_global(VidTransReID(5, trunk(), frames=T, global_branch=False), frames)
    with pytest.raises(ValueError, match="no branch of parts"):
        attention_of_parts(VidTransReID(5, trunk(), frames=T, local_branch=False), frames)
    with pytest.raises(ValueError, match="there are none: give keypoints"):
        attention_of_parts(KeyReID(5, trunk(), frames=T), frames)
