"""``pictures``: tracklets with their keypoints, and where networks look (Figures 5 and 6 of KMPNet)."""

from pathlib import Path
from typing import Any, NamedTuple

import hydra
import numpy as np
import torch
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf

from vidreid.commands import config_dir
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.train import without_initial_weights
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.transforms import ClipTransform
from vidreid.keypoints.skeleton import SKELETONS
from vidreid.models.visual_network import VisualNetwork
from vidreid.training.checkpoint import load_network, method_name
from vidreid.training.module import IMAGENET_MEAN, IMAGENET_STD
from vidreid.training.run_folder import RunFolder
from vidreid.visualize.activation_sheet import activation_sheet
from vidreid.visualize.activations import ActivationBlock, conv1_activation, share_on_body
from vidreid.visualize.examples import Example, Examples, spread_or_named
from vidreid.visualize.save import save_png
from vidreid.visualize.skeletons import skeleton_sheet


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


def draw(config: DictConfig) -> Path:
    """Draw the picture that the configuration asks for.

    Args:
        config: The composed configuration of ``conf/pictures.yaml``.

    Returns:
        The PNG file.

    Raises:
        FileNotFoundError: If the run, its checkpoint or the keypoints do not exist.
        ValueError: If the settings contradict the data, or the two runs each other.
    """
    figures = {"skeletons": draw_skeletons, "activations": draw_activations}
    if config.figure not in figures:
        raise ValueError(f"There is no figure {config.figure!r}: choose one of {', '.join(figures)}.")
    return figures[config.figure](config)


def draw_skeletons(config: DictConfig) -> Path:
    """Draw tracklets with their keypoints as the run's data give them (Figure 5)."""
    run = RunFolder.existing(config.run)
    data = _data(run, config)
    examples = Examples(data, config.split or "train")
    chosen = spread_or_named(examples, config.tracklets, config.count)
    rows = [(example.frames, example.keypoints) for example in _read(examples, chosen, config)]
    picture = skeleton_sheet(rows, SKELETONS[data.joints])
    file = save_png(picture, config.file or run.pictures / "skeletons_tracklets.png")
    print(f"{file}: tracklets {_listed(chosen)} of the {examples.split} split, keypoints {data.keypoints}")
    return file


def draw_activations(config: DictConfig) -> Path:
    """Draw where the first map of the run's network is strong, and of a baseline's (Figure 6)."""
    runs = [RunFolder.existing(path) for path in (config.baseline, config.run) if path is not None]
    _same_input(runs)
    networks = [_network(run, config.checkpoint) for run in runs]
    data = _data(runs[-1], config)
    examples = Examples(data, config.split or "test")
    names = [method_name(network) for network in networks]
    if len(set(names)) < len(names):
        names = [f"{names[0]}, baseline", f"{names[1]}, run"]

    blocks = []
    chosen = spread_or_named(examples, config.tracklets, config.count)
    for example in _read(examples, chosen, config):
        seen = _look(example, networks, data.test_transform)
        values = " → ".join(f"{share:.2f}" for share in _means(seen.shares))
        facts = f"tracklet {example.tracklet} · id {example.pid} · camera {example.camera}"
        captions = (facts, f"joints / whole frame: {values}")
        blocks.append(ActivationBlock(list(seen.frames), seen.activations, captions))
    picture = activation_sheet(blocks, names, config.scale)
    file = save_png(picture, config.file or runs[-1].pictures / "activations.png")
    print(f"{file}: tracklets {_listed(chosen)} of the {examples.split} split")

    measured = [
        _look(example, networks, data.test_transform).shares
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


def _listed(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in numbers)


def _means(shares: NDArray[np.float32]) -> list[float]:
    return [float(row[np.isfinite(row)].mean()) if np.isfinite(row).any() else float("nan") for row in shares]


def _read(examples: Examples, tracklets: list[int], config: DictConfig) -> list[Example]:
    return [examples.read(int(tracklet), config.frames) for tracklet in tracklets]


def _look(example: Example, networks: list[VisualNetwork], transform: ClipTransform) -> Looked:
    planes, keypoints, _ = transform(example.frames, example.keypoints, seed=0)
    assert keypoints is not None
    pixels = torch.from_numpy(planes).float() / 255
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in (IMAGENET_MEAN, IMAGENET_STD))
    maps = [conv1_activation(network, (pixels - mean) / std) for network in networks]
    points = torch.from_numpy(keypoints)
    # MGH has no ReLU before its first map; what it would have cut off is no activation.
    shares = [share_on_body(one.clamp_min(0), points, transform.height) for one in maps]
    return Looked(planes.transpose(0, 2, 3, 1), [one.numpy() for one in maps], torch.stack(shares).numpy())


def _data(run: RunFolder, config: DictConfig) -> ReidDataModule:
    settings: dict[str, Any] = run.read_config()["data"]
    for key, value in config.data.items():
        if value is not None:
            # On the command line the keypoints called "true" are read as a truth value.
            settings[str(key)] = "true" if value is True else value
    return instantiate(settings)


def _network(run: RunFolder, checkpoint: str | None) -> VisualNetwork:
    stored = OmegaConf.create(run.read_config())
    assert isinstance(stored, DictConfig)
    network: VisualNetwork = instantiate(without_initial_weights(stored).model)
    load_network(network, run.checkpoint(checkpoint or stored.select))
    return network.eval()


def _same_input(runs: list[RunFolder]) -> None:
    settings: list[dict[str, Any]] = [run.read_config()["data"] for run in runs]
    sizes = [f"{one['height']}x{one['width']}" for one in settings]
    if len(set(sizes)) > 1:
        raise ValueError(
            f"The baseline {runs[0].path} sees frames of {sizes[0]}, the run {runs[1].path} of {sizes[1]}: "
            "their maps cannot be compared, choose runs of one input size."
        )


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="pictures")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    draw(config)


def main() -> None:
    """Run the command."""
    _hydra_main()
