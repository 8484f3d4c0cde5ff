"""The loggers of a run: always the CSV file, Weights & Biases as the configuration says."""

from collections.abc import Iterable
from typing import Any

import wandb
from lightning.pytorch.loggers import Logger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig
from torch import nn

from vidreid.files import write_whole
from vidreid.training.csv_log import CsvLog
from vidreid.training.run_folder import RunFolder

WANDB_MODES = ("online", "offline", "disabled")


def make_loggers(
    settings: DictConfig, run: RunFolder, name: str, config: dict[str, Any], network: nn.Module
) -> list[Logger]:
    """Return the loggers and hand them the configuration and the parameter counts.

    Args:
        settings: The ``logger`` group of the configuration.
        run: Where the files lie.
        name: Name of the experiment.
        config: The resolved configuration as plain containers.
        network: Its parameters are counted.

    Raises:
        ValueError: For an unknown mode.
    """
    loggers: list[Logger] = [CsvLog(run.csv_file)]
    mode = settings.wandb.mode
    if mode not in WANDB_MODES:
        raise ValueError(f"logger.wandb.mode={mode} is unknown: choose one of {', '.join(WANDB_MODES)}.")
    if mode != "disabled":
        facts = {**config, "parameters": count_parameters(network)}
        loggers.append(
            WandbLogger(save_dir=str(run.path), experiment=_start_wandb(settings.wandb, run, name, facts))
        )
    return loggers


@rank_zero_only
def _start_wandb(settings: DictConfig, run: RunFolder, name: str, facts: dict[str, Any]) -> Any:
    """Start a W&B run; a resumed training goes on in its old one where there is a network to do so."""
    remembered = run.path / "wandb" / "run_id"
    known = remembered.read_text() if remembered.is_file() and settings.mode == "online" else None
    started = wandb.init(
        dir=str(run.path),
        mode=settings.mode,
        project=settings.project,
        entity=settings.entity,
        group=settings.group,
        tags=list(settings.tags),
        name=f"{name}/{run.path.name}",
        config=facts,
        id=known,
        resume="allow" if known else None,
        settings=wandb.Settings(silent=True),
    )
    with write_whole(remembered) as temporary:
        temporary.write_text(started.id)
    return started


def finish(loggers: Iterable[Logger]) -> None:
    """Close what is open, so that the next training of the same process starts its own W&B run."""
    if any(isinstance(logger, WandbLogger) for logger in loggers):
        wandb.finish()


def count_parameters(network: nn.Module) -> dict[str, int]:
    """Return the numbers of parameters: all, trainable, and of each direct child."""
    counts = {
        "total": sum(p.numel() for p in network.parameters()),
        "trainable": sum(p.numel() for p in network.parameters() if p.requires_grad),
    }
    for name, child in network.named_children():
        counts[name] = sum(p.numel() for p in child.parameters())
    return counts
