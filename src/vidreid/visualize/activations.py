"""Where the first feature map of a network is strong: Figure 6 of KMPNet, and a number to go with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidreid.models.layers.keypoint_sampling import sample_keypoints, sampling_weights
from vidreid.models.visual_network import VisualNetwork
from vidreid.visualize.palette import Frame

ColourScale = Literal["each", "shared"]
"""``each`` network by its own strongest values, or one scale ``shared`` by all."""

PERCENTILE = 99.0
_TURBO: NDArray[np.uint8] = (255 * matplotlib.colormaps["turbo"](np.arange(256))[:, :3]).astype(np.uint8)


@dataclass(frozen=True)
class ActivationBlock:
    """A tracklet as it appears in a sheet of activations.

    Attributes:
        frames: ``T`` frames ``(H, W, 3)`` uint8 RGB, all of one size.
        activations: Of each network ``(T, h, w)``.
        captions: Lines of text below.
    """

    frames: Sequence[Frame]
    activations: Sequence[NDArray[np.floating]]
    captions: Sequence[str] = ()


@torch.no_grad()
def conv1_activation(network: VisualNetwork, frames: Tensor) -> Tensor:
    """Return the strongest channel of the first map at every place (paper, "Feature map visualizations").

    The paper takes the "channel-wise max of features in 'conv1'". The first map that a visual branch hands
    out, and the first that the graph reads, comes after the stem's batch norm, ReLU (which MGH lacks) and max
    pooling, so it has a quarter of the image's size.

    Args:
        network: A network in evaluation mode.
        frames: ``(N, 3, H, W)``, normalised.

    Returns:
        ``(N, h, w)`` float32 on the CPU.
    """
    return network.visual.stages(frames)[0].amax(1).float().cpu()


def share_on_body(activations: Tensor, keypoints: Tensor, height: int) -> Tensor:
    """Return how much stronger a map is at the visible joints than in the mean over the whole frame.

    1 means that joints are nothing special. The number does not depend on the unit of the map, so that
    networks can be compared by it, as they cannot be by colours.

    Args:
        activations: ``(N, h, w)``, not negative.
        keypoints: ``(N, K, 3)`` in pixels of the network's input.
        height: ``H`` of the network's input.

    Returns:
        ``(N,)``; not a number for a frame without a visible joint, or with nothing but zeros.
    """
    size = (activations.shape[1], activations.shape[2])
    scale = size[0] / height
    x, y, confidence = keypoints.unbind(-1)
    inside = (x >= 0) & (x * scale < size[1]) & (y >= 0) & (y < height)
    visible = ((confidence > 0) & inside).to(activations.dtype)
    # Cell i of the map sees the surroundings of pixel i / scale: no offset.
    weights = sampling_weights(keypoints, size, scale, offset=0.0)
    at_joints = sample_keypoints(activations.unsqueeze(1), weights).squeeze(-1)
    return (at_joints * visible).sum(1) / visible.sum(1) / activations.mean((1, 2))


def colour_limits(
    activations: Sequence[Sequence[NDArray[np.floating]]], scale: ColourScale = "each", at_least: float = 0.0
) -> list[float]:
    """Return for each network the value from which on the colour is the warmest; the coldest is zero.

    Two networks have no common unit: a batch norm may scale one map to twice the other. By default each has
    its own scale up to its 99th percentile, and colours compare places in a picture, not networks.

    Args:
        activations: For each tracklet the ``(T, h, w)`` of each network.
        scale: ``each``, or ``shared``: the 99th percentile of all networks together.
        at_least: The limit is no lower than so many times the mean of what is not zero, so that a flat map
            does not look strong everywhere; 0 asks for nothing.

    Raises:
        ValueError: For an unknown scale.
    """
    if scale not in get_args(ColourScale):
        raise ValueError(f"There is no colour scale {scale!r}: choose each or shared.")
    pools = [np.concatenate([x.ravel() for x in maps]) for maps in zip(*activations, strict=True)]
    if scale == "shared":
        pools = [np.concatenate(pools)] * len(pools)
    return [
        max(float(np.percentile(pool, PERCENTILE)), at_least * _mean_above_zero(pool), 1e-12)
        for pool in pools
    ]


def _mean_above_zero(values: NDArray[np.floating]) -> float:
    above = values[values > 0]
    return float(above.mean()) if len(above) else 0.0


def heat_over(frame: Frame, activation: NDArray[np.floating], limit: float) -> Frame:
    """Lay a map over a dimmed grey copy of its frame: blue is weak, red is strong.

    Args:
        frame: ``(H, W, 3)`` uint8 RGB.
        activation: ``(h, w)``.
        limit: Value of the warmest colour.

    Returns:
        ``(H, W, 3)`` uint8 RGB.
    """
    height, width = frame.shape[:2]
    strength = np.clip(np.asarray(activation, np.float32) / limit, 0, 1)
    enlarged = cv2.resize(strength, (width, height), interpolation=cv2.INTER_LINEAR)
    heat = _TURBO[np.rint(255 * enlarged).astype(np.uint8)].astype(np.float32)
    grey = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    return np.rint(0.68 * heat + 0.32 * grey).astype(np.uint8)


def colour_bar(height: int, width: int) -> Frame:
    """Return the colours from weak to strong, ``(height, width, 3)``."""
    row = _TURBO[np.linspace(0, 255, width).round().astype(np.uint8)]
    return np.repeat(row[None], height, axis=0)
