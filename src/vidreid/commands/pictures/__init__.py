"""``pictures``: what a run's network is given, where it looks and what it finds; one module a figure.

Figures 5 and 6 of KMPNet, Figures 3 and 4 of KeyRe-ID, and the part maps that guide KeyRe-ID.
"""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from vidreid.commands import config_dir
from vidreid.commands.pictures.activations import draw_activations
from vidreid.commands.pictures.attention import draw_attention
from vidreid.commands.pictures.compared import draw_compared
from vidreid.commands.pictures.part_maps import draw_part_maps
from vidreid.commands.pictures.skeletons import draw_skeletons
from vidreid.commands.plain_errors import plain_errors

FIGURES = {
    "skeletons": draw_skeletons,
    "activations": draw_activations,
    "attention": draw_attention,
    "part_maps": draw_part_maps,
    "ranked": draw_compared,
}


def draw(config: DictConfig) -> Path:
    """Draw the picture that the configuration asks for.

    Args:
        config: The composed configuration of ``conf/pictures.yaml``.

    Returns:
        The PNG file.

    Raises:
        FileNotFoundError: If the run, its checkpoint or the keypoints do not exist.
        ValueError: If the settings contradict the data, the network, or the two runs each other.
    """
    if config.figure not in FIGURES:
        raise ValueError(f"There is no figure {config.figure!r}: choose one of {', '.join(FIGURES)}.")
    return FIGURES[config.figure](config)


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="pictures")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    draw(config)


def main() -> None:
    """Run the command."""
    _hydra_main()
