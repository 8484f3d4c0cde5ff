"""A timm ResNet that hands out the feature map of every stage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import timm
from timm.models.resnet import ResNet
from torch import Tensor, nn

from vidreid.models.backbones.weights import imagenet_weights, load_exactly, read_state
from vidreid.models.recomputing import recomputed

_STEM = ("conv1", "bn1", "act1", "maxpool")
_LAYERS = ("layer1", "layer2", "layer3", "layer4")


class StagedResNet(nn.Module):
    """ResNet of any depth with five taps: after the max pooling and after each of the four layers.

    With ``last_stride`` 1 the last layer keeps the resolution of the third (PCB, Sun et al. 2018): the
    stride is removed from the first block's strided convolution and from its shortcut. Parameter names are
    torchvision's.

    Attributes:
        channels: Channels of the five maps.
        scales: Size of a map divided by the size of the image, five values.
        depths: Blocks of the four layers.

    Args:
        name: A ResNet of timm, with or without a weights tag (``resnet50``, ``resnet18.a1_in1k``).
        pretrained: Start from ImageNet weights, see ``imagenet_weights``.
        weights: Local state dict (.pth or .safetensors) to start from instead; its classifier is dropped.
        last_stride: Stride of the last layer, 1 or 2.
        channels: Widths of the four layers before a bottleneck's expansion, for narrow networks.
        checkpoint: Compute the activations of stem and blocks again in the backward pass instead of keeping
            them: the same gradients and statistics of batch norms in less memory and more time.

    Raises:
        ValueError: For another architecture, another stride, or weights that do not fit.
        FileNotFoundError: If ``weights`` does not exist.
        ConnectionError: If the ImageNet weights cannot be had.
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
        super().__init__()
        self.checkpoint = checkpoint
        if last_stride not in (1, 2):
            raise ValueError(f"last_stride is {last_stride}: it must be 1 or 2.")
        if pretrained and channels is not None and weights is None:
            raise ValueError(
                "There are no ImageNet weights for other widths: set pretrained=false or drop channels."
            )
        net = _create(name, channels)
        parts = dict(net.named_children())
        self.conv1, self.bn1, self.act1, self.maxpool = (parts[name] for name in _STEM)
        self.layer1, self.layer2, self.layer3, self.layer4 = (parts[name] for name in _LAYERS)
        stages = cast(list[dict[str, Any]], net.feature_info)
        self.channels: tuple[int, ...] = tuple(stage["num_chs"] for stage in stages)
        self.scales: tuple[float, ...] = (1 / 4, 1 / 4, 1 / 8, 1 / 16, 1 / (16 * last_stride))
        layers = (self.layer1, self.layer2, self.layer3, self.layer4)
        self.depths: tuple[int, ...] = tuple(sum(1 for _ in layer.children()) for layer in layers)
        if last_stride == 1:
            _remove_stride(self.layer4)
        if weights is not None:
            self._load(read_state(weights), str(weights))
        elif pretrained:
            self._load(imagenet_weights(name), f"The ImageNet weights of {name}")

    def forward(self, frames: Tensor) -> list[Tensor]:
        """Return the five maps of ``frames``.

        Args:
            frames: ``(N, 3, H, W)``.

        Returns:
            Five maps ``(N, channels[i], H * scales[i], W * scales[i])``.
        """
        maps = [self.stem(frames)]
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            feature_map = maps[-1]
            for block in layer.children():
                feature_map = self.through(block, feature_map)
            maps.append(feature_map)
        return maps

    def stem(self, frames: Tensor) -> Tensor:
        """Return the first map of ``frames`` ``(N, 3, H, W)``."""
        if self.checkpoint:
            # A deep stem is all in conv1.
            return recomputed(self._stem, frames, inside=[self.conv1, self.bn1])
        return self._stem(frames)

    def through(self, block: nn.Module, feature_map: Tensor) -> Tensor:
        """Return what a block makes of a map, computed again in the backward pass if so set."""
        return recomputed(block, feature_map) if self.checkpoint else block(feature_map)

    def _stem(self, frames: Tensor) -> Tensor:
        return self.maxpool(self.act1(self.bn1(self.conv1(frames))))

    def _load(self, state: dict[str, Tensor], source: str) -> None:
        load_exactly(
            self, {k: v for k, v in state.items() if not k.startswith(("fc.", "classifier."))}, source
        )


def _create(name: str, channels: Sequence[int] | None) -> ResNet:
    architecture = name.partition(".")[0]
    if not timm.is_model(architecture):
        raise ValueError(f"timm has no model {architecture!r}: choose a ResNet such as resnet18 or resnet50.")
    if timm.model_entrypoint(architecture).__module__ != "timm.models.resnet":
        raise ValueError(f"{architecture!r} is no ResNet of timm: choose one such as resnet18 or resnet50.")
    widths: dict[str, Any] = {} if channels is None else {"channels": tuple(channels)}
    net = timm.create_model(architecture, pretrained=False, num_classes=0, **widths)
    assert isinstance(net, ResNet)
    return net


def _remove_stride(layer: nn.Module) -> None:
    """Let the first block of a layer, the only one with a stride, and its shortcut keep the resolution."""
    for parent in list(layer.modules()):
        for child_name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d) and child.stride == (2, 2):
                child.stride = (1, 1)
            elif isinstance(child, nn.AvgPool2d) and child.stride in (2, (2, 2)):
                # The "d" variants and resnet10t pool in the shortcut.
                setattr(parent, child_name, nn.Identity())
