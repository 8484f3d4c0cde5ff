"""PCB, the part-based convolutional baseline (Sun et al., ECCV 2018), in the form that KMPNet builds on."""

from collections.abc import Sequence
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from vidreid.models.backbones.staged import staged_backbone
from vidreid.models.layers.stripes import StripeHead, pool_stripes
from vidreid.models.visual_branch import FrameBranch


class PCB(FrameBranch):
    """ResNet, stripes, one classifier a stripe; the descriptor is the pooled stripes, not the reduced ones.

    Args:
        num_identities: Number of training identities.
        backbone: A convolutional network of timm, see ``staged_backbone``.
        pretrained: Start from ImageNet weights.
        weights: Local weights file of the backbone.
        last_stride: Stride of the last layer; 1 keeps enough rows for the stripes.
        stripes: Number of stripes, 4 in KMPNet, 6 in the original.
        reduced: Width that the classifiers see.
        dropout: Dropout probability on the pooled stripes in training.
        channels: Widths of the backbone's layers, for narrow networks.
        checkpoint: Compute the backbone's blocks again in the backward pass, see ``StagedResNet``.
    """

    def __init__(
        self,
        num_identities: int,
        backbone: str = "resnet50",
        pretrained: bool = False,
        weights: str | Path | None = None,
        last_stride: int = 1,
        stripes: int = 4,
        reduced: int = 256,
        dropout: float = 0.5,
        channels: Sequence[int] | None = None,
        checkpoint: bool = False,
    ) -> None:
        super().__init__()
        self.backbone = staged_backbone(backbone, pretrained, weights, last_stride, channels, checkpoint)
        self.channels, self.scales = self.backbone.channels, self.backbone.scales
        self.depths = self.backbone.depths
        self.stripes = stripes
        self.descriptor_size = self.channels[-1] * stripes
        self.head = StripeHead(self.channels[-1], num_identities, stripes, reduced, dropout)

    def stages(self, frames: Tensor) -> list[Tensor]:
        """Return the backbone's maps of ``frames`` ``(N, 3, H, W)``."""
        return self.backbone(frames)

    def classify(self, maps: list[Tensor]) -> dict[str, Tensor]:
        """Return ``stripe_1`` (top) to ``stripe_P``, each ``(N, num_identities)``."""
        logits = self.training_head()(pool_stripes(maps[-1], self.stripes))
        return {f"stripe_{i}": logit for i, logit in enumerate(logits, start=1)}

    def describe_frames(self, maps: list[Tensor]) -> Tensor:
        """Return the stripes, each of unit norm, as ``(N, C * P)`` with index ``channel * P + stripe``."""
        return F.normalize(pool_stripes(maps[-1], self.stripes), dim=1).flatten(1)
