"""ResNet with global average pooling and one classifier: the plain visual branch."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from vidreid.models.backbones.staged import staged_backbone
from vidreid.models.layers.stripes import classifier
from vidreid.models.visual_branch import FrameBranch


class GlobalPooled(FrameBranch):
    """ResNet, mean over the map, one linear classifier; the visual branch of KMPNet (ResNet-50).

    The paper does not give the last stride of this variant; 1 keeps the maps of the PCB variant, 2 is
    torchreid's.

    Args:
        num_identities: Number of training identities.
        backbone: A convolutional network of timm, see ``staged_backbone``.
        pretrained: Start from ImageNet weights.
        weights: Local weights file of the backbone.
        last_stride: Stride of the last layer.
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
        channels: Sequence[int] | None = None,
        checkpoint: bool = False,
    ) -> None:
        super().__init__()
        self.backbone = staged_backbone(backbone, pretrained, weights, last_stride, channels, checkpoint)
        self.channels, self.scales = self.backbone.channels, self.backbone.scales
        self.depths = self.backbone.depths
        self.descriptor_size = self.channels[-1]
        self.head = classifier(self.channels[-1], num_identities)

    def stages(self, frames: Tensor) -> list[Tensor]:
        """Return the backbone's maps of ``frames`` ``(N, 3, H, W)``."""
        return self.backbone(frames)

    def classify(self, maps: list[Tensor]) -> dict[str, Tensor]:
        """Return ``global``, ``(N, num_identities)``."""
        return {"global": self.training_head()(self.describe_frames(maps))}

    def describe_frames(self, maps: list[Tensor]) -> Tensor:
        """Return the mean over each channel's map, ``(N, C)``, not normalised."""
        return maps[-1].mean((2, 3))
