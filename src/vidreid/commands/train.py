"""``train``: from a configuration to a trained, evaluated run folder."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import hydra
import lightning as L
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf, open_dict
from torch import nn

from vidreid.commands import config_dir
from vidreid.commands.data_fit import check_data_fit, check_people
from vidreid.commands.evaluation import (
    describe_with,
    evaluate,
    evaluation_file,
    print_metrics,
    protocol_options,
)
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.quiet import quiet
from vidreid.commands.same_settings import check_same_settings
from vidreid.commands.stages import final_stage, first_stage, has_two_stages
from vidreid.data.datamodule import ReidDataModule
from vidreid.models.network import ReidNetwork
from vidreid.models.visual_network import VisualNetwork
from vidreid.training.checkpoint import (
    CheckpointMeta,
    WholeFileCheckpointIO,
    load_network,
    method_name,
    read_checkpoint,
)
from vidreid.training.csv_log import CsvLog
from vidreid.training.loggers import finish, make_loggers
from vidreid.training.module import ReidModule
from vidreid.training.run_folder import RunFolder
from vidreid.training.selection import checkpoint_callbacks
from vidreid.training.step_seed import StepSeed


def run_dir(resume: str | None, runs: str, name: str) -> str:
    """Return the folder of a run: the one to go on with, or a new one named by the time."""
    return resume or str(Path(runs) / name / datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))


OmegaConf.register_new_resolver("run_dir", run_dir, replace=True)


def train(config: DictConfig) -> dict[str, Any]:
    """Train as the configuration says, stage by stage, and evaluate.

    Args:
        config: The composed configuration of ``conf/train.yaml``.

    Returns:
        What the run's ``metrics.json`` holds.

    Raises:
        FileNotFoundError: If data, checkpoint or the run to resume are not where the configuration says.
        ValueError: If settings contradict each other or the data.
    """
    config = _resumed(config) if config.resume else _started(config)
    run = RunFolder(config.paths.run_dir)
    data = _open_data(config)
    for notice in data.notices:
        print(f"note: {notice}")
    if run.config_file.is_file() and not config.resume:
        check_same_settings(run, plain(config))
        run.write_config(plain(config))  # the first stage of other rows becomes a row of its own
        if run.metrics_file.is_file():
            print(f"finished before: {run.path}")
            return run.read_metrics()
    elif not run.config_file.is_file():
        run.write_config(plain(config))
    print(f"run folder: {run.path}   (after an interruption: train.py resume={run.path})")
    if has_two_stages(config) and config.visual_checkpoint is None:
        build_module(without_initial_weights(config))  # what cannot be built is said now, not after stage 1
        config.visual_checkpoint = str(_train_first_stage(config, run))
    return _train_single(config, run, data)


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


def build_module(config: DictConfig) -> ReidModule:
    """Build network, losses, optimiser, schedule and metric of a configuration.

    Args:
        config: A configuration in which ``num_identities`` is filled in.
    """
    metric = instantiate(config.metric)
    network: ReidNetwork = instantiate(config.model)
    _note_sizes(config, network)
    if config.channels_last:
        network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    if config.compile:
        network.compile()
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
    )


def _note_sizes(config: DictConfig, network: ReidNetwork) -> None:
    with open_dict(config):
        config.embedding_sizes = dict(network.embedding_sizes)


def _train_single(config: DictConfig, run: RunFolder, data: ReidDataModule) -> dict[str, Any]:
    """Train one stage in its run folder, or go on with it, and evaluate the selected checkpoint."""
    if not run.config_file.is_file():
        run.write_config(plain(config))
    L.seed_everything(config.seed, workers=True, verbose=False)
    last = run.checkpoint("last")
    filled = last.is_file() or config.visual_checkpoint is not None
    module = build_module(without_initial_weights(config) if filled else config)
    if config.visual_checkpoint is not None and not last.is_file():
        load_network(_visual_branch(module.network), config.visual_checkpoint, part="visual")
    check_data_fit(module.network, data)
    loggers = make_loggers(config.logger, run, config.name, plain(config), module.network)
    try:
        with quiet():
            trainer = _trainer(config, run, data, loggers)
            if last.is_file():
                _go_on(last, trainer)
            trainer.fit(module, datamodule=data, ckpt_path=str(last) if last.is_file() else None)
            metrics = evaluate(config, run, trainer, module, data, run.checkpoint(config.select))
            _evaluate_otherwise(config, run, module)
    finally:
        finish(loggers)
    if trainer.is_global_zero:
        run.write_metrics(metrics)
        print_metrics(metrics, run.metrics_file)
    return metrics


def _visual_branch(network: ReidNetwork) -> nn.Module:
    if not isinstance(network, VisualNetwork):
        raise ValueError(
            f"visual_checkpoint starts the visual branch of a network, and {method_name(network)} has none: "
            "leave it out, or give the weights of its trunk by model.backbone.weights=FILE."
        )
    return network.visual


def _evaluate_otherwise(config: DictConfig, run: RunFolder, module: ReidModule) -> None:
    """Evaluate the further descriptors of a network; each has a file beside ``metrics.json``."""
    others = [descriptor for descriptor in config.descriptors if descriptor != "visual"]
    if not others:
        return
    # Logs and pictures of the run stay those of its own descriptor.
    trainer = instantiate(
        config.trainer, logger=False, enable_checkpointing=False, default_root_dir=str(run.path)
    )
    config = config.copy()
    config.data.test_keypoints = True
    data = _open_data(config)
    for descriptor in others:
        describe_with(module.network, descriptor)
        metrics = evaluate(config, run, trainer, module, data, run.checkpoint(config.select))
        name = evaluation_file([f"descriptor-{descriptor}"], config.select, config.select)
        if trainer.is_global_zero:
            print_metrics(metrics, run.write_metrics(metrics, name))
    describe_with(module.network, "visual")


def _trainer(config: DictConfig, run: RunFolder, data: ReidDataModule, loggers: list[Logger]) -> L.Trainer:
    callbacks = [
        StepSeed(config.seed),
        CheckpointMeta(plain(config), data.num_identities, config.data.protocol),
        *checkpoint_callbacks(run, config.select, data.held_out_identities),
        *(callback for callback in instantiate(config.callbacks).values() if callback is not None),
    ]
    return instantiate(
        config.trainer,
        callbacks=callbacks,
        logger=loggers,
        plugins=[WholeFileCheckpointIO()],
        default_root_dir=str(run.path),
        limit_val_batches=config.trainer.limit_val_batches if data.held_out_identities else 0,
    )


def _go_on(last: Path, trainer: L.Trainer) -> None:
    """Say from where a run goes on, and drop what was logged after that."""
    done = read_checkpoint(last)
    if "optimizer_states" not in done:
        raise ValueError(
            f"{last} is an imported checkpoint without the state of a training: start a new run from it by "
            f"visual_checkpoint={last}."
        )
    print(f"going on after epoch {done['epoch'] + 1} of {trainer.max_epochs}")
    for logger in trainer.loggers:
        if isinstance(logger, CsvLog):
            logger.forget_after(done["global_step"])


def _train_first_stage(config: DictConfig, run: RunFolder) -> Path:
    """Train the visual branch alone, unless that has been done, and return its checkpoint."""
    first = RunFolder(config.stages.visual_run) if config.stages.visual_run else run.visual_stage
    stage = first_stage(config)
    stage.paths.run_dir = str(first.path)
    stage.name = f"{config.name}_visual_stage"
    stage.study = None
    data = _open_data(stage)
    if first.config_file.is_file():
        check_same_settings(first, plain(stage))
    if not first.metrics_file.is_file():
        print(f"stage 1 of 2: the visual branch alone, {stage.trainer.max_epochs} epochs, in {first.path}")
        _train_single(stage, first, data)
    after = "with the graph" if config.stages.plan == "visual_then_graph" else "the same without a graph"
    print(f"stage 2 of 2: {after}, {config.trainer.max_epochs} epochs")
    return first.checkpoint(config.select)


def _open_data(config: DictConfig) -> ReidDataModule:
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


def _started(config: DictConfig) -> DictConfig:
    """Return the configuration of the training that the run is to end with."""
    config = config.copy()
    if config.study is not None:
        # Its row is named by the settings as they were given.
        OmegaConf.resolve(config.study)
    return final_stage(config)


def _resumed(config: DictConfig) -> DictConfig:
    """Return the configuration that a run was started with."""
    run = RunFolder.existing(config.resume)
    stored = OmegaConf.create(run.read_config())
    stored.paths.run_dir = str(run.path)
    assert isinstance(stored, DictConfig)
    OmegaConf.set_struct(stored, True)
    return stored


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="train")
@plain_errors
def _hydra_main(config: DictConfig) -> float | None:
    overrides = [] if config.resume is None else _overrides_besides_resume()
    if overrides:
        raise ValueError(
            "resume goes on with the settings that the run was started with: leave out "
            f"{', '.join(overrides)}, or start a new run with visual_checkpoint=FILE."
        )
    metrics = train(config)
    return metrics.get("mAP")


def _overrides_besides_resume() -> list[str]:
    given = HydraConfig.get().overrides.task
    return [override for override in given if not override.startswith("resume=")]


def main() -> None:
    """Run the command."""
    _hydra_main()
