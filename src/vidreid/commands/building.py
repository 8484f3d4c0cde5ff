"""From a configuration to the objects of a training: data, network, losses, metric."""

from functools import partial
from typing import Any, cast

import lightning as L
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict

from vidreid.commands.data_fit import check_people
from vidreid.commands.evaluation import protocol_options
from vidreid.commands.report import ReportSettings
from vidreid.data.datamodule import ReidDataModule
from vidreid.models.network import ReidNetwork
from vidreid.training.compiling import compile_training_pass
from vidreid.training.module import ReidModule
from vidreid.training.run_folder import RunFolder

ONE_PROCESS: dict[str, Any] = {"devices": 1, "num_nodes": 1, "strategy": "auto"}
"""Settings of a trainer that evaluates on one process, however many trained."""


def plain(config: DictConfig) -> dict[str, Any]:
    """Return a configuration as plain containers with every interpolation resolved."""
    return cast(dict[str, Any], OmegaConf.to_container(config, resolve=True, throw_on_missing=True))


def without_initial_weights(config: DictConfig) -> DictConfig:
    """Return a configuration whose trunk starts at random: a checkpoint is going to fill it.

    Nothing is fetched or read in vain, and an old run needs neither the network nor the file it began with.
    """
    config = config.copy()
    trunk = config.model.visual if "visual" in config.model else config.model.backbone
    trunk.pretrained = False
    trunk.weights = None
    return config


def open_data(config: DictConfig) -> ReidDataModule:
    """Build the data and fill in the number of identities."""
    data: ReidDataModule = instantiate(config.data)
    check_people(data)
    with open_dict(config):
        config.num_identities = data.num_identities
        config.camera_numbers = data.camera_numbers
    if "visual" not in config.model:
        with torch.device("meta"):  # only sizes are read: no memory, no random numbers
            network: ReidNetwork = instantiate(without_initial_weights(config).model)
        _note_sizes(config, network)
    return data


def build_module(config: DictConfig) -> ReidModule:
    """Build network, losses, optimiser, schedule and metric of a configuration.

    Args:
        config: A configuration in which ``num_identities`` is filled in.
    """
    ReportSettings.of(config)  # a report that cannot be made is said now, not after the training
    metric = instantiate(config.metric)
    network: ReidNetwork = instantiate(config.model)
    _note_sizes(config, network)
    if config.channels_last:
        network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    compile_training_pass(network, config.compile)
    return ReidModule(
        network=network,
        losses=instantiate(config.loss),
        optimizer=instantiate(config.optimizer),
        schedule=instantiate(config.schedule),
        metric=metric,
        test_metric=partial(metric, **protocol_options(config.data)),
        mean=tuple(config.pixels.mean),
        std=tuple(config.pixels.std),
        loss_optimizer=instantiate(config.get("loss_optimizer")),  # runs of earlier versions have none
        micro_batch=config.get("micro_batch"),
    )


def evaluating_trainer(config: DictConfig, run: RunFolder, **changes: Any) -> L.Trainer:
    """Return a trainer for evaluation alone: logs, pictures and checkpoints of the run stay as they are.

    Args:
        config: Has the settings ``trainer``.
        run: Its folder.
        changes: Settings of the trainer that are to be others.
    """
    return instantiate(
        config.trainer,
        logger=False,
        enable_checkpointing=False,
        default_root_dir=str(run.path),
        **changes,
    )


def _note_sizes(config: DictConfig, network: ReidNetwork) -> None:
    with open_dict(config):
        config.embedding_sizes = dict(network.embedding_sizes)
