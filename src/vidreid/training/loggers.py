"""The loggers of a run: always the CSV file, Weights & Biases as the configuration says."""

import os
from collections.abc import Iterable
from typing import Any

import wandb
from lightning.pytorch.loggers import Logger, WandbLogger
from omegaconf import DictConfig
from torch import nn

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
        os.environ.setdefault("WANDB_SILENT", "true")
        logger = WandbLogger(
            save_dir=str(run.path),
            offline=mode == "offline",
            project=settings.wandb.project,
            entity=settings.wandb.entity,
            group=settings.wandb.group,
            tags=list(settings.wandb.tags),
            name=f"{name}/{run.path.name}",
        )
        logger.log_hyperparams({**config, "parameters": count_parameters(network)})
        loggers.append(logger)
    return loggers


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
