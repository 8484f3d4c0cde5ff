"""From a run folder and the settings of a picture to data, networks and what these are given."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from vidreid.commands.building import without_initial_weights
from vidreid.commands.other_benchmark import use_benchmark
from vidreid.commands.replaced_settings import replace_settings
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.transforms import ClipTransform
from vidreid.models.network import ReidNetwork
from vidreid.training.checkpoint import load_network
from vidreid.training.module import IMAGENET_MEAN, IMAGENET_STD
from vidreid.training.run_folder import RunFolder
from vidreid.visualize.examples import Example

FRAMES = 4
"""Of a tracklet, unless the settings say otherwise."""


class NetworkInput(NamedTuple):
    """A tracklet as networks are given it.

    Attributes:
        frames: ``(T, H, W, 3)`` uint8 RGB.
        keypoints: ``(T, K, 3)`` in pixels of these, or ``None``.
    """

    frames: NDArray[np.uint8]
    keypoints: Tensor | None


def run_settings(run: RunFolder, config: DictConfig) -> DictConfig:
    """Return the configuration of a run, with the settings ``data`` of the picture that are not null."""
    stored = OmegaConf.create(run.read_config())
    assert isinstance(stored, DictConfig)
    if config.benchmark is not None:
        use_benchmark(stored.data, config.benchmark, config.data.root)
    replace_settings(stored.data, config.data)
    return stored


def open_data(run: RunFolder, config: DictConfig) -> ReidDataModule:
    """Return the data of a run under the settings of the picture."""
    return instantiate(run_settings(run, config).data)


def build_network(run: RunFolder) -> ReidNetwork:
    """Return the network of a run with random weights, in evaluation mode."""
    stored = OmegaConf.create(run.read_config())
    assert isinstance(stored, DictConfig)
    network: ReidNetwork = instantiate(without_initial_weights(stored).model)
    return network.eval()


def open_network(run: RunFolder, checkpoint: str | None) -> ReidNetwork:
    """Return the network of a run with the weights of a checkpoint, by default of the one it selected."""
    network = build_network(run)
    load_network(network, run.checkpoint(checkpoint or run.read_config()["select"]))
    return network.eval()


def normalizer(run: RunFolder) -> Callable[[NDArray[np.uint8]], Tensor]:
    """Return what turns frames ``(T, H, W, 3)`` uint8 into the floats ``(T, 3, H, W)`` that a run's network
    reads."""
    pixels = run.read_config().get("pixels") or {"mean": IMAGENET_MEAN, "std": IMAGENET_STD}
    mean, std = (torch.tensor(pixels[name]).view(3, 1, 1) for name in ("mean", "std"))

    def normalize(frames: NDArray[np.uint8]) -> Tensor:
        return (torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255 - mean) / std

    return normalize


def network_input(example: Example, transform: ClipTransform) -> NetworkInput:
    """Resize an example as in evaluation."""
    planes, keypoints, _ = transform(example.frames, example.keypoints, seed=0)
    points = None if keypoints is None else torch.from_numpy(keypoints)
    return NetworkInput(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), points)


def facts(example: Example) -> str:
    """Return the first line below an example."""
    return f"tracklet {example.tracklet} · id {example.pid} · camera {example.camera}"


def listed(numbers: list[int]) -> str:
    """Return tracklet numbers for a sentence."""
    return ", ".join(str(number) for number in numbers)
