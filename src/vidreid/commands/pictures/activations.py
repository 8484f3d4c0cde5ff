"""``figure=activations``: where the first map of one or two networks is strong (Figure 6 of KMPNet)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import DictConfig
from torch import Tensor

from vidreid.commands.pictures.opening import (
    FRAMES,
    facts,
    listed,
    network_input,
    normalizer,
    open_data,
    open_network,
)
from vidreid.data.transforms import ClipTransform
from vidreid.models.visual_network import VisualNetwork
from vidreid.training.checkpoint import method_name
from vidreid.training.run_folder import RunFolder
from vidreid.visualize.activation_sheet import activation_sheet
from vidreid.visualize.activations import ActivationBlock, conv1_activation, share_on_body
from vidreid.visualize.examples import Example, Examples, spread_or_named
from vidreid.visualize.save import save_png


class Looker(NamedTuple):
    """A network and what makes its floats of pixels."""

    network: VisualNetwork
    normalize: Callable[[NDArray[np.uint8]], Tensor]


class Looked(NamedTuple):
    """A tracklet as the networks saw it.

    Attributes:
        frames: ``(T, H, W, 3)`` uint8, the networks' input.
        activations: ``(T, h, w)`` of each network.
        shares: ``(networks, T)`` share on the body.
    """

    frames: NDArray[np.uint8]
    activations: list[NDArray[np.float32]]
    shares: NDArray[np.float32]


def draw_activations(config: DictConfig) -> Path:
    """Draw where the first map of the run's network is strong, and of a baseline's."""
    runs = [RunFolder.existing(path) for path in (config.baseline, config.run) if path is not None]
    _same_input(runs)
    lookers = [_looker(run, config.checkpoint) for run in runs]
    data = open_data(runs[-1], config)
    examples = Examples(data, config.split or "test")
    names = [method_name(looker.network) for looker in lookers]
    if len(set(names)) < len(names):
        names = [f"{names[0]}, baseline", f"{names[1]}, run"]

    blocks = []
    chosen = spread_or_named(examples, config.tracklets, config.count)
    for example in _read(examples, chosen, config):
        seen = _look(example, lookers, data.test_transform)
        values = " → ".join(f"{share:.2f}" for share in _means(seen.shares))
        captions = (facts(example), f"joints / whole frame: {values}")
        blocks.append(ActivationBlock(list(seen.frames), seen.activations, captions))
    picture = activation_sheet(blocks, names, config.scale)
    file = save_png(picture, config.file or runs[-1].pictures / "activations.png")
    print(f"{file}: tracklets {listed(chosen)} of the {examples.split} split")

    measured = [
        _look(example, lookers, data.test_transform).shares
        for example in _read(examples, examples.spread(config.measured), config)
    ]
    _print_shares(names, np.concatenate(measured, axis=1), len(measured))
    return file


def _print_shares(names: list[str], shares: NDArray[np.float32], tracklets: int) -> None:
    """Print the share on the body of each network over ``shares`` ``(networks, frames)``."""
    shares = shares[:, np.isfinite(shares).all(axis=0)]
    print(
        f"activation at the visible joints over that of the whole frame, {shares.shape[1]} frames of "
        f"{tracklets} tracklets (1: joints are nothing special):"
    )
    for name, share in zip(names, _means(shares), strict=True):
        print(f"  {name:<24}{share:.3f}")
    if len(names) == 2 and shares.shape[1]:
        print(f"  higher in {names[1]} on {100 * float((shares[1] > shares[0]).mean()):.0f} % of the frames")


def _means(shares: NDArray[np.float32]) -> list[float]:
    return [float(row[np.isfinite(row)].mean()) if np.isfinite(row).any() else float("nan") for row in shares]


def _read(examples: Examples, tracklets: list[int], config: DictConfig) -> list[Example]:
    frames = FRAMES if config.frames is None else config.frames
    return [examples.read(int(tracklet), frames) for tracklet in tracklets]


def _look(example: Example, lookers: list[Looker], transform: ClipTransform) -> Looked:
    seen = network_input(example, transform)
    assert seen.keypoints is not None
    points = seen.keypoints
    maps = [conv1_activation(looker.network, looker.normalize(seen.frames)) for looker in lookers]
    # MGH has no ReLU before its first map; what it would have cut off is no activation.
    shares = [share_on_body(one.clamp_min(0), points, transform.height) for one in maps]
    return Looked(seen.frames, [one.numpy() for one in maps], torch.stack(shares).numpy())


def _looker(run: RunFolder, checkpoint: str | None) -> Looker:
    network = open_network(run, checkpoint)
    if not isinstance(network, VisualNetwork):
        raise ValueError(
            f"figure=activations shows the first map of a convolutional trunk, and {run.path} is a run of "
            f"{method_name(network)}, which has none: choose figure=attention."
        )
    return Looker(network, normalizer(run))


def _same_input(runs: list[RunFolder]) -> None:
    settings: list[dict[str, Any]] = [run.read_config()["data"] for run in runs]
    sizes = [f"{one['height']}x{one['width']}" for one in settings]
    if len(set(sizes)) > 1:
        raise ValueError(
            f"The baseline {runs[0].path} sees frames of {sizes[0]}, the run {runs[1].path} of {sizes[1]}: "
            "their maps cannot be compared, choose runs of one input size."
        )
