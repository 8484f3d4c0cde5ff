"""A vision transformer of timm as the shared trunk of frames: all blocks but the last, and the last apart.

What every method here does with it: the last block and the final norm belong to the branches (they start as
copies of the pretrained ones), so the trunk ends one block earlier. The released code builds that block, a
norm and a classifier of ImageNet a second time and never uses them; they are not built here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import timm
import torch
import torch.nn.functional as F
from timm.models.vision_transformer import Block
from timm.models.vision_transformer import VisionTransformer as TimmVisionTransformer
from torch import Tensor, nn

from vidreid.keypoints.part_maps import PatchGrid
from vidreid.models.backbones.weights import imagenet_weights, load_exactly, read_state
from vidreid.models.layers.camera_embedding import CameraEmbedding
from vidreid.models.recomputing import recomputed

_NOT_NEEDED = ("head.", "head_dist.", "pre_logits.", "fc_norm.", "fc.")


class VisionTransformer(nn.Module):
    """The trunk: patches, [CLS], positions, cameras, and all blocks but the last.

    Attributes:
        width: ``D`` of a token.
        heads: Attention heads of a block.
        patches: How a frame of the size that the positions are kept for is cut.
        patch: Side of a patch in pixels.
        stride: Pixels from one patch to the next.
        grid: Rows and columns of patches.
        blocks: The blocks of the trunk.

    Args:
        name: A ViT of timm, with or without a weights tag (``vit_base_patch16_224.orig_in21k_ft_in1k``).
        pretrained: Start from ImageNet weights by the tag.
        weights: Local state dict to start from instead.
        height: ``H`` of the frames that the positions are kept for.
        width: ``W``.
        stride: Pixels from one patch to the next: 16, or 12 for overlapping patches; ``None`` is the patch
            size.
        camera: Whether there is a camera embedding: ``on`` or ``off``, or the truth value.
        cameras: Numbers of the cameras to know, if there is one.
        camera_weight: What the camera's embedding is multiplied with (3 in the released codes).
        drop_path: Stochastic depth of the last block; earlier ones have less in proportion.
        patch: Side of a patch, for small transformers from scratch.
        embedding: ``D``, likewise.
        depth: Blocks including the last, likewise.
        heads: Attention heads, likewise.
        checkpoint: Compute the activations of each block again in the backward pass instead of keeping them:
            the same gradients in less memory and more time. The blocks of branches keep theirs: they read one
            row, and so keep a fraction.

    Raises:
        ValueError: If timm has no such ViT, or the weights do not fit.
        FileNotFoundError: If ``weights`` does not exist.
        ConnectionError: If the ImageNet weights cannot be had.
    """

    def __init__(
        self,
        name: str = "vit_base_patch16_224",
        pretrained: bool = False,
        weights: str | Path | None = None,
        height: int = 256,
        width: int = 128,
        stride: int | None = 16,
        camera: bool | Literal["on", "off"] = "on",
        cameras: Sequence[int] | None = None,
        camera_weight: float = 3.0,
        drop_path: float = 0.1,
        patch: int | None = None,
        embedding: int | None = None,
        depth: int | None = None,
        heads: int | None = None,
        checkpoint: bool = False,
    ) -> None:
        super().__init__()
        self.checkpoint = checkpoint
        changes = {"patch_size": patch, "embed_dim": embedding, "depth": depth, "num_heads": heads}
        vit = _create(name, drop_path, {key: value for key, value in changes.items() if value is not None})
        self.project = cast(nn.Conv2d, vit.patch_embed.proj)
        self.patch = self.project.kernel_size[0]
        self.stride = stride or self.patch
        self.project.stride = (self.stride, self.stride)
        if min(height, width) < self.patch:
            raise ValueError(f"Frames of {height}x{width} are smaller than a patch of {self.patch} pixels.")
        self.patches = PatchGrid(height, width, self.patch, self.stride)
        self.grid = (self.patches.rows, self.patches.columns)
        self.width = self.project.out_channels
        assert vit.cls_token is not None
        self.cls_token = vit.cls_token
        self.positions = nn.Parameter(torch.zeros(1, 1 + self.patches.patches, self.width))
        nn.init.trunc_normal_(self.positions, std=0.02)
        blocks = cast(list[Block], list(vit.blocks))
        self.blocks = nn.ModuleList(blocks[:-1])
        self.cameras = None
        if _is_on(camera):
            self.cameras = CameraEmbedding(cameras or (), self.width, camera_weight)
        self.heads = cast(int, blocks[-1].attn.num_heads)
        # Not children of the trunk: they are for a branch to own.
        self._last: tuple[Block, nn.Module] | None = (blocks[-1], cast(nn.Module, vit.norm))
        if weights is not None:
            self.load_pretrained(read_state(weights), str(weights))
        elif pretrained:
            tagged = imagenet_weights(name, setting="model.backbone")
            self.load_pretrained(tagged, f"The ImageNet weights of {name}")

    def forward(self, frames: Tensor, cameras: Tensor | None = None) -> Tensor:
        """Return the tokens before the last block, ``(N, 1 + patches, D)``, [CLS] first, patches in raster
        order.

        Args:
            frames: ``(N, 3, H, W)``, normalised; of another size than ``height x width`` the positions are
                resized.
            cameras: ``(N,)`` camera numbers; those that are not known, and ``None``, get the mean embedding.
        """
        tokens = self.embed(frames, cameras)
        for block in self.blocks:
            tokens = recomputed(block, tokens) if self.checkpoint else block(tokens)
        return tokens

    def embed(self, frames: Tensor, cameras: Tensor | None = None) -> Tensor:
        """Return what the first block reads: patches and [CLS] with positions and cameras added."""
        patches = self.project(frames)
        grid = (patches.shape[2], patches.shape[3])
        positions = self.positions if grid == self.grid else resize_positions(self.positions, self.grid, grid)
        tokens = torch.cat(
            [self.cls_token.expand(len(frames), -1, -1), patches.flatten(2).transpose(1, 2)], 1
        )
        tokens = tokens + positions
        if self.cameras is not None:
            tokens = tokens + self.cameras(cameras, len(frames)).unsqueeze(1)
        return tokens

    def take_last_block(self) -> nn.Sequential:
        """Hand out the last block and the final norm, once: a branch owns them from now on.

        Raises:
            RuntimeError: If they are gone.
        """
        if self._last is None:
            raise RuntimeError(
                "The last block of this trunk belongs to a branch already: build another trunk."
            )
        block, norm = self._last
        self._last = None
        return nn.Sequential(block, norm)

    def load_pretrained(self, state: Mapping[str, Tensor], source: str) -> None:
        """Take the weights of a whole ViT under timm's names; positions are resized, classifiers dropped.

        Args:
            state: ``cls_token``, ``pos_embed``, ``patch_embed.proj.*``, ``blocks.*``, ``norm.*``.
            source: Where it comes from, the subject of messages.

        Raises:
            ValueError: If a weight is missing, unknown or of another shape.
        """
        assert self._last is not None
        last = len(self.blocks)
        own = {key: value for key, value in self.state_dict().items() if key.startswith("cameras.")}
        apart: dict[str, Tensor] = {}
        for key, value in state.items():
            if key.startswith(_NOT_NEEDED):
                continue
            if key == "pos_embed":
                side = round((value.shape[1] - 1) ** 0.5)
                if side**2 != value.shape[1] - 1:
                    raise ValueError(
                        f"{source} has {value.shape[1] - 1} positions, which form no square grid."
                    )
                own["positions"] = resize_positions(value, (side, side), self.grid)
            elif key.startswith((f"blocks.{last}.", "norm.")):
                apart[key] = value
            else:
                own[key.replace("patch_embed.proj.", "project.")] = value
        load_exactly(self, own, source)
        block, norm = self._last
        prefix = f"blocks.{last}."
        inside = {key.removeprefix(prefix): value for key, value in apart.items() if key.startswith(prefix)}
        load_exactly(block, inside, f"The last block of {source}")
        norms = {key.removeprefix("norm."): value for key, value in apart.items() if key.startswith("norm.")}
        load_exactly(norm, norms, f"The final norm of {source}")


def resize_positions(positions: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """Resize position embeddings bilinearly, as the released codes do; that of [CLS] stays.

    Args:
        positions: ``(1, 1 + rows * columns, D)``.
        old: Their rows and columns.
        new: The rows and columns wanted.
    """
    if old == new:
        return positions
    cls, patches = positions[:, :1], positions[:, 1:]
    planes = patches.transpose(1, 2).unflatten(2, old)
    planes = F.interpolate(planes, new, mode="bilinear", align_corners=False)
    return torch.cat([cls, planes.flatten(2).transpose(1, 2)], dim=1)


def _create(name: str, drop_path: float, changes: dict[str, Any]) -> TimmVisionTransformer:
    architecture = name.partition(".")[0]
    if not timm.is_model(architecture):
        raise ValueError(
            f"timm has no model {architecture!r}: choose a ViT such as vit_base_patch16_224 or "
            "vit_small_patch16_224."
        )
    vit = timm.create_model(
        architecture, pretrained=False, num_classes=0, drop_path_rate=drop_path, **changes
    )
    if not (isinstance(vit, TimmVisionTransformer) and _is_plain(vit)):
        raise ValueError(
            f"{architecture!r} is no plain ViT with one [CLS] token: choose vit_base_patch16_224 or one of "
            "its sizes."
        )
    return vit


def _is_on(camera: bool | str) -> bool:
    if isinstance(camera, bool):
        return camera
    if camera not in ("on", "off"):
        raise ValueError(f"Unknown camera {camera!r}: the camera embedding is on or off.")
    return camera == "on"


def _is_plain(vit: TimmVisionTransformer) -> bool:
    one_token = vit.cls_token is not None and vit.num_prefix_tokens == 1
    return (
        one_token and isinstance(vit.norm_pre, nn.Identity) and all(isinstance(b, Block) for b in vit.blocks)
    )
