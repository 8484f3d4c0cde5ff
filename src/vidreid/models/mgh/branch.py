"""MGH (Yan et al., CVPR 2020) in the form that its authors released."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidreid.models.layers.bn_neck import BNNeck
from vidreid.models.layers.stripes import pool_stripes
from vidreid.models.layers.windowed_graph import WindowedGraphLayer
from vidreid.models.mgh.backbone import NonLocalResNet
from vidreid.models.outputs import TrainingOutputs
from vidreid.models.visual_branch import VisualBranch


class MGH(VisualBranch):
    """A global vector and one graph of stripes a granularity, side by side, then a batch norm (the neck).

    The release is not the hypergraph of the paper: its graphs link each stripe to the stripes most like it
    in nearby frames, and it has neither the mutual information loss nor the attention. Its unused
    classifier is not built.

    Args:
        num_identities: Number of training identities.
        backbone: A ResNet of timm.
        pretrained: Start from ImageNet weights.
        weights: Local weights file of the plain ResNet.
        last_stride: Stride of the last layer.
        channels: Widths of the ResNet's layers, for narrow networks.
        stripes: Number of stripes of each graph.
        width: Width of a graph's nodes.
        window: Frames to either side that a node's neighbours are looked for in.
        neighbours: Nodes taken there, the node itself included.
        checkpoint: Compute the backbone's blocks again in the backward pass, see ``StagedResNet``.
    """

    def __init__(
        self,
        num_identities: int,
        backbone: str = "resnet50",
        pretrained: bool = False,
        weights: str | Path | None = None,
        last_stride: int = 1,
        channels: Sequence[int] | None = None,
        stripes: Sequence[int] = (2, 4, 8),
        width: int = 1024,
        window: int = 3,
        neighbours: int = 3,
        checkpoint: bool = False,
    ) -> None:
        super().__init__()
        self.backbone = NonLocalResNet(backbone, pretrained, weights, last_stride, channels, checkpoint)
        self.channels, self.scales = self.backbone.channels, self.backbone.scales
        self.depths = self.backbone.depths
        self.stripes = tuple(stripes)
        last = self.channels[-1]
        self.widths = (last, *(width for _ in self.stripes))
        self.descriptor_size = sum(self.widths)

        self.global_norm = nn.BatchNorm1d(last)
        self.graphs = nn.ModuleList(
            nn.ModuleList(
                WindowedGraphLayer(a, b, window, neighbours) for a, b in pairwise((last, width, width))
            )
            for _ in self.stripes
        )
        self.neck = BNNeck(self.descriptor_size)
        self.head = nn.ModuleList(_classifier(part, num_identities) for part in self.widths)

    def stages(self, frames: Tensor) -> list[Tensor]:
        """Return the backbone's maps of ``frames`` ``(N, 3, H, W)``."""
        return self.backbone(frames)

    def outputs(self, maps: list[Tensor], frames: int) -> TrainingOutputs:
        """Return ``(B, C)`` logits, ``global`` and ``stripes_P``, and the vector before the neck, ``visual``.

        Args:
            maps: Maps of ``stages`` for ``B * T`` frames, clip after clip.
            frames: ``T``.
        """
        joined = self.join(maps[-1], frames)
        names = ("global", *(f"stripes_{count}" for count in self.stripes))
        parts = self.neck(joined).split(self.widths, dim=1)
        heads = self.training_head().children()
        logits = {name: head(part) for name, head, part in zip(names, heads, parts, strict=True)}
        return TrainingOutputs(logits, {"visual": joined})

    def describe(self, maps: list[Tensor], frames: int) -> Tensor:
        """Return the neck's output ``(B, D)``, not of unit norm; arguments as in ``outputs``."""
        return self.neck(self.join(maps[-1], frames))

    def join(self, feature_map: Tensor, frames: int) -> Tensor:
        """Return the global vector and the mean node of each graph side by side, ``(B, D)``, before the neck.

        Args:
            feature_map: Last map ``(B * T, C, H, W)``.
            frames: ``T``.
        """
        mean = feature_map.mean((2, 3)).unflatten(0, (-1, frames)).mean(1)
        parts = [self.global_norm(F.relu(F.normalize(mean, dim=1)))]
        for count, layers in zip(self.stripes, self.graphs, strict=True):
            pooled = pool_stripes(feature_map, count).transpose(1, 2)
            # Nodes: frame after frame, in each from top to bottom.
            nodes = pooled.unflatten(0, (-1, frames)).flatten(1, 2)
            for layer in layers.children():
                nodes = layer(nodes, frames)
            parts.append(nodes.mean(1))
        return torch.cat(parts, dim=1)


def _classifier(width: int, num_identities: int) -> nn.Linear:
    linear = nn.Linear(width, num_identities)
    nn.init.normal_(linear.weight, std=0.001)
    nn.init.zeros_(linear.bias)
    return linear
