"""The trunk of the released MGH: a ResNet with non-local blocks and without the first ReLU."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from torch import Tensor, nn

from vidreid.models.backbones.staged_resnet import StagedResNet
from vidreid.models.layers.non_local import NonLocalBlock

_LAYERS = ("layer1", "layer2", "layer3", "layer4")
_NON_LOCAL_AFTER = {"layer2": (1, 3), "layer3": (1, 3, 5)}


class NonLocalResNet(StagedResNet):
    """ResNet of five taps; some blocks of the middle layers are followed by a non-local block.

    In ResNet-50 they stand after blocks 1 and 3 of layer 2 and 1, 3 and 5 of layer 3 (counted from 0); a
    network with fewer blocks has those that it has blocks for. They look at one frame at a time. Between the
    first batch norm and the max pooling there is no ReLU: the released code has it commented out.

    Args:
        name: A ResNet of timm, see ``StagedResNet``.
        pretrained: Start from ImageNet weights.
        weights: Local weights file of the plain ResNet.
        last_stride: Stride of the last layer.
        channels: Widths of the four layers, for narrow networks.
        checkpoint: Compute the blocks again in the backward pass, see ``StagedResNet``.
    """

    def __init__(
        self,
        name: str = "resnet50",
        pretrained: bool = False,
        weights: str | Path | None = None,
        last_stride: int = 1,
        channels: Sequence[int] | None = None,
        checkpoint: bool = False,
    ) -> None:
        super().__init__(name, pretrained, weights, last_stride, channels, checkpoint)
        self.act1 = nn.Identity()
        self.non_local = nn.ModuleDict()
        for stage, (layer, width) in enumerate(zip(_LAYERS, self.channels[1:], strict=True)):
            for block in _NON_LOCAL_AFTER.get(layer, ()):
                if block < self.depths[stage]:
                    self.non_local[f"{layer}_{block}"] = NonLocalBlock(width)

    def forward(self, frames: Tensor) -> list[Tensor]:
        """Return the five maps of frames ``(N, 3, H, W)``; see ``StagedResNet``."""
        feature_map = self.stem(frames)
        maps = [feature_map]
        for name in _LAYERS:
            for i, block in enumerate(cast(nn.Sequential, getattr(self, name))):
                feature_map = self.through(block, feature_map)
                if f"{name}_{i}" in self.non_local:
                    feature_map = self.through(self.non_local[f"{name}_{i}"], feature_map)
            maps.append(feature_map)
        return maps
