"""The two networks whose parts are runs of patches."""

from typing import cast

import torch
from timm.models.vision_transformer import Block
from torch import Tensor

from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.layers.clip_tokens import ClipTokens, Tokens
from vidreid.models.layers.token_block import run_rows
from vidreid.models.outputs import TrainingOutputs
from vidreid.models.two_branch_transformer import Join, Neck, TwoBranchTransformer


class VidTransReID(TwoBranchTransformer):
    """VID-Trans-ReID: the rows of a clip, shifted and shuffled, are cut into equal runs; each run is a part.

    Args:
        num_identities: Number of training identities.
        backbone: The trunk.
        frames: ``T`` of a clip.
        tokens: ``aligned`` as the paper says, ``released`` as its code does, ``frames``: see ``clip_tokens``.
        parts: Number of runs.
        shuffle: Shift and shuffle; without it the runs are horizontal stripes.
        shift: Rows to shift by.
        groups: Runs that are dealt out.
        global_branch: Build the global branch.
        local_branch: Build the branch of parts.
        neck: Descriptors ``after`` (as released) or ``before`` the BN-necks.
        join: Parts ``divided`` by their number (as released), or all vectors of ``unit`` length.
        shortcuts: Compute only what is read.
    """

    def __init__(
        self,
        num_identities: int,
        backbone: VisionTransformer,
        frames: int = 4,
        tokens: Tokens = "aligned",
        parts: int = 4,
        shuffle: bool = True,
        shift: int = 5,
        groups: int = 2,
        global_branch: bool = True,
        local_branch: bool = True,
        neck: Neck = "after",
        join: Join = "divided",
        shortcuts: bool = True,
    ) -> None:
        super().__init__(
            num_identities,
            backbone,
            stripe_names(parts),
            frames,
            tokens,
            shuffle,
            shift,
            groups,
            global_branch,
            local_branch,
            temporal_attention=True,
            pretrained_local=tokens == "frames",
            neck=neck,
            join=join,
            shortcuts=shortcuts,
        )

    def read_parts(self, clip: ClipTokens, keypoints: Tensor | None) -> Tensor:
        """Return the token after reading each run of rows, ``(B, P, W)``."""
        return read_runs(self, clip)


class TransReID(TwoBranchTransformer):
    """TransReID, frames as images: the mean of a clip's descriptors describes it.

    Both branches start from the last block of the pretrained ViT, and descriptors are taken before the necks.

    Args:
        num_identities: Number of training identities.
        backbone: The trunk; its stride is 16 or 12.
        parts: Number of runs of patches.
        shuffle: Shift and shuffle ("jigsaw patches"); without it the runs are horizontal stripes.
        shift: Patches to shift by.
        groups: Runs that are dealt out.
        local_branch: Build the branch of parts; without it this is a ViT with a BN-neck.
        neck: Descriptors ``before`` (as its configurations) or ``after`` the BN-necks.
        join: Parts ``divided`` by their number (as released), or all vectors of ``unit`` length.
        shortcuts: Compute only what is read.
    """

    def __init__(
        self,
        num_identities: int,
        backbone: VisionTransformer,
        parts: int = 4,
        shuffle: bool = True,
        shift: int = 5,
        groups: int = 2,
        local_branch: bool = True,
        neck: Neck = "before",
        join: Join = "divided",
        shortcuts: bool = True,
    ) -> None:
        super().__init__(
            num_identities,
            backbone,
            stripe_names(parts),
            1,
            "aligned",
            shuffle,
            shift,
            groups,
            global_branch=True,
            local_branch=local_branch,
            temporal_attention=False,
            pretrained_local=True,
            neck=neck,
            join=join,
            shortcuts=shortcuts,
        )
        self.clip_frames = None  # frames are clips of their own to the base class

    def forward(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> TrainingOutputs:
        """Return the logits ``(B, T, C)`` and vectors ``(B, T, D)`` of every frame; see the base class."""
        count = images.shape[1]
        outputs = super().forward(_single(images), None, _of_frames(cameras, count))
        logits, vectors = (
            {name: value.unflatten(0, (-1, count)) for name, value in named.items()}
            for named in (outputs.logits, outputs.embeddings)
        )
        return TrainingOutputs(logits, vectors)

    def describe(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> Tensor:
        """Return the mean of the frames' descriptors, ``(B, D)``."""
        count = images.shape[1]
        frames = super().describe(_single(images), None, _of_frames(cameras, count))
        return frames.unflatten(0, (-1, count)).mean(1)

    def read_parts(self, clip: ClipTokens, keypoints: Tensor | None) -> Tensor:
        """Return [CLS] after reading each run of patches, ``(B, P, D)``."""
        return read_runs(self, clip)


def read_runs(network: TwoBranchTransformer, clip: ClipTokens) -> Tensor:
    """Read equal runs of the rows of a clip by the local block of a network, ``(B, P, W)``."""
    assert network.local_block is not None
    block = cast(Block, network.local_block[0])
    parts = len(network.part_names)
    if network.shortcuts:
        return run_rows(block, clip.token, clip.rows, parts)
    length = clip.rows.shape[1] // parts
    token = clip.token.unsqueeze(1)
    runs = clip.rows[:, : parts * length].split(length, dim=1)
    return torch.stack([block(torch.cat([token, run], dim=1))[:, 0] for run in runs], dim=1)


def stripe_names(parts: int) -> list[str]:
    """Return ``stripe_1`` to ``stripe_P``."""
    return [f"stripe_{i}" for i in range(1, parts + 1)]


def _single(images: Tensor) -> Tensor:
    return images.flatten(0, 1).unsqueeze(1)


def _of_frames(cameras: Tensor | None, count: int) -> Tensor | None:
    if cameras is None:
        return None
    return cameras.repeat_interleave(count) if cameras.dim() == 1 else cameras.reshape(-1)
