"""Any convolutional network of timm as a trunk that hands out the map of every stage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import timm
import torch
from torch import Tensor, nn

from vidreid.models.backbones.staged_resnet import StagedResNet
from vidreid.models.backbones.weights import imagenet_weights, load_exactly, read_state


class StagedBackbone(Protocol):
    """What a visual branch reads of its trunk."""

    channels: tuple[int, ...]
    scales: tuple[float, ...]
    depths: tuple[int, ...]

    def __call__(self, frames: Tensor) -> list[Tensor]:
        """Return the maps of ``frames`` ``(N, 3, H, W)``."""
        ...


class StagedTimm(nn.Module):
    """A timm CNN with one tap a stage, as its ``feature_info`` lists them (ConvNeXt has four).

    Attributes:
        channels: Channels of the maps.
        scales: Size of a map divided by the size of the image.
        depths: Convolutions between one map and the next, which stand for the blocks of a ResNet.

    Args:
        name: A CNN of timm, with or without a weights tag (``convnext_tiny``, ``regnety_016``).
        pretrained: Start from ImageNet weights, see ``imagenet_weights``.
        weights: Local state dict to start from instead; its classifier is dropped.
        last_stride: 1 keeps the last map at 1/16 of the image by dilation, 2 leaves the network as it is.

    Raises:
        ValueError: If timm has no such CNN, it has no stage features, or the weights do not fit.
        FileNotFoundError: If ``weights`` does not exist.
        ConnectionError: If the ImageNet weights cannot be had.
    """

    def __init__(
        self,
        name: str,
        pretrained: bool = False,
        weights: str | Path | None = None,
        last_stride: int = 1,
    ) -> None:
        super().__init__()
        if last_stride not in (1, 2):
            raise ValueError(f"last_stride is {last_stride}: it must be 1 or 2.")
        self.net = _create(name, last_stride)
        if weights is not None:
            self._load(read_state(weights), str(weights))
        elif pretrained:
            self._load(imagenet_weights(name), f"The ImageNet weights of {name}")
        taps = cast(list[dict[str, Any]], self.net.feature_info)
        self.channels: tuple[int, ...] = tuple(tap["num_chs"] for tap in taps)
        self.scales: tuple[float, ...] = tuple(1 / tap["reduction"] for tap in taps)
        self.depths: tuple[int, ...] = self._convolutions([str(tap["module"]) for tap in taps])

    def forward(self, frames: Tensor) -> list[Tensor]:
        """Return the maps ``(N, channels[i], H * scales[i], W * scales[i])`` of frames ``(N, 3, H, W)``."""
        forward = cast(Any, self.net).forward_intermediates
        return list(forward(frames, intermediates_only=True, output_fmt="NCHW"))

    def _convolutions(self, taps: list[str]) -> tuple[int, ...]:
        counts = [0] * len(taps)
        reached = 0
        for name, module in self.net.named_modules():
            inside = name == taps[reached] or name.startswith(f"{taps[reached]}.")
            if not inside and reached + 1 < len(taps) and name.startswith(taps[reached + 1]):
                reached += 1
            if isinstance(module, nn.Conv2d):
                counts[reached] += 1
        return tuple(counts[1:])

    def _load(self, state: dict[str, Tensor], source: str) -> None:
        classifier = ("head.fc.", "fc.", "classifier.", "head.weight", "head.bias")
        load_exactly(self.net, {k: v for k, v in state.items() if not k.startswith(classifier)}, source)


def staged_backbone(
    name: str = "resnet50",
    pretrained: bool = False,
    weights: str | Path | None = None,
    last_stride: int = 1,
    channels: Sequence[int] | None = None,
    checkpoint: bool = False,
) -> StagedBackbone:
    """Build a trunk: ResNets with torchvision's names and the released taps, other CNNs as timm has them.

    Args:
        name: timm's name, with or without a weights tag.
        pretrained: Start from ImageNet weights.
        weights: Local weights file to start from instead.
        last_stride: Stride of the last stage.
        channels: Widths of a narrow ResNet's layers.
        checkpoint: Compute the blocks of a ResNet again in the backward pass, see ``StagedResNet``.

    Raises:
        ValueError: If there is no such network or the options do not fit it.
    """
    architecture = name.partition(".")[0]
    if not timm.is_model(architecture):
        raise ValueError(
            f"timm has no model {architecture!r}: choose a CNN such as resnet18, resnet50 or convnext_tiny."
        )
    if timm.model_entrypoint(architecture).__module__ == "timm.models.resnet":
        return StagedResNet(name, pretrained, weights, last_stride, channels, checkpoint)
    if channels is not None:
        raise ValueError(f"channels narrows ResNets only: leave it out for {name!r}.")
    if checkpoint:
        raise ValueError(
            f"checkpoint computes the blocks of ResNets again, and {name!r} is none: set checkpoint=false; "
            "micro_batch saves memory with any network."
        )
    return StagedTimm(name, pretrained, weights, last_stride)


def _create(name: str, last_stride: int) -> nn.Module:
    architecture = name.partition(".")[0]
    options: dict[str, Any] = {"output_stride": 16} if last_stride == 1 else {}
    try:
        net = timm.create_model(architecture, pretrained=False, num_classes=0, **options)
    except (TypeError, AssertionError) as error:
        raise ValueError(
            f"{name!r} cannot keep its last map at 1/16: use last_stride=2, or a network such as resnet50 or "
            "convnext_tiny."
        ) from error
    if not hasattr(net, "forward_intermediates") or not hasattr(net, "feature_info"):
        raise ValueError(f"{name!r} gives no stage features: choose a CNN such as resnet50 or convnext_tiny.")
    if not _has_stages(net):
        raise ValueError(f"{name!r} is no CNN with stages: choose one such as resnet50 or convnext_tiny.")
    return net


def _has_stages(net: nn.Module) -> bool:
    """Whether maps of several sizes come out of a small picture; transformers often refuse its size."""
    try:
        with torch.no_grad():
            maps = cast(Any, net.eval()).forward_intermediates(
                torch.zeros(1, 3, 64, 64), intermediates_only=True
            )
    except (AssertionError, RuntimeError, TypeError):
        return False
    finally:
        net.train()
    return all(level.dim() == 4 for level in maps) and len({level.shape[-1] for level in maps}) > 1
