"""One training in its run folder, from the first step or from where it stopped, and its evaluation."""

from pathlib import Path
from typing import Any

import lightning as L
from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig
from torch import nn

from vidreid.commands.building import (
    build_module,
    evaluating_trainer,
    open_data,
    plain,
    without_initial_weights,
)
from vidreid.commands.data_fit import check_data_fit
from vidreid.commands.evaluation import describe_with, evaluate, evaluation_file, print_metrics
from vidreid.commands.held_out import held_out_scores, print_held_out, without_test
from vidreid.commands.launching.place import Place
from vidreid.commands.quiet import quiet
from vidreid.commands.run_record import provenance
from vidreid.commands.sweeps.trial import stop_if_pruned, trial_callbacks
from vidreid.data.datamodule import ReidDataModule
from vidreid.models.network import ReidNetwork
from vidreid.models.visual_network import VisualNetwork
from vidreid.training.batch_norm_sync import BatchNormSync, check_batch_norm_sync
from vidreid.training.checkpoint import (
    META_KEY,
    CheckpointMeta,
    WholeFileCheckpointIO,
    load_network,
    method_name,
    read_checkpoint,
)
from vidreid.training.csv_log import CsvLog
from vidreid.training.leftovers import Leftovers
from vidreid.training.loggers import finish, make_loggers
from vidreid.training.micro_batches import accumulation_note
from vidreid.training.module import ReidModule
from vidreid.training.run_folder import RunFolder
from vidreid.training.selection import checkpoint_callbacks
from vidreid.training.step_seed import StepSeed


def train_single(config: DictConfig, run: RunFolder, data: ReidDataModule) -> dict[str, Any]:
    """Train one stage in its run folder, or go on with it, and evaluate the selected checkpoint."""
    if Place.here().rank == 0 and not run.config_file.is_file():
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
            note = accumulation_note(trainer.accumulate_grad_batches, module.losses)
            if note is not None and trainer.is_global_zero:
                print(f"note: {note}")
            _go_on(last, trainer)
            trainer.fit(module, datamodule=data, ckpt_path=str(last) if last.is_file() else None)
            stop_if_pruned(config)
            metrics = _measure(config, run, trainer, module, data)
    finally:
        finish(loggers)
    if trainer.is_global_zero:
        run.write_metrics(metrics)
        if config.get("test", True):
            print_metrics(metrics, run.metrics_file)
        print_held_out(metrics, run.metrics_file)
    return metrics


def _measure(
    config: DictConfig, run: RunFolder, trainer: L.Trainer, module: ReidModule, data: ReidDataModule
) -> dict[str, Any]:
    """Evaluate on the test set, unless nobody may look at it, and on what was held out of training."""
    if not config.get("test", True):  # runs of earlier versions do not say
        return {**without_test(config, run, module, data), **held_out_scores(config, run, module, data)}
    metrics = evaluate(config, run, trainer, module, data, run.checkpoint(config.select))
    _evaluate_otherwise(config, run, module)
    return {**metrics, **held_out_scores(config, run, module, data)}


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
    trainer = evaluating_trainer(config, run)  # logs and pictures stay those of the run's own descriptor
    config = config.copy()
    config.data.test_keypoints = True
    data = open_data(config)
    for descriptor in others:
        describe_with(module.network, descriptor)
        metrics = evaluate(config, run, trainer, module, data, run.checkpoint(config.select))
        name = evaluation_file([f"descriptor-{descriptor}"], config.select, config.select)
        if trainer.is_global_zero:
            print_metrics(metrics, run.write_metrics(metrics, name))
    describe_with(module.network, "visual")


def _trainer(config: DictConfig, run: RunFolder, data: ReidDataModule, loggers: list[Logger]) -> L.Trainer:
    callbacks = [
        Leftovers(run),
        provenance(config, run),
        StepSeed(config.seed),
        CheckpointMeta(plain(config), data.num_identities, config.data.protocol),
        *trial_callbacks(config),
        *checkpoint_callbacks(run, config.select, data.held_out_identities),
        *(callback for callback in instantiate(config.callbacks).values() if callback is not None),
    ]
    sync = bool(config.trainer.get("sync_batchnorm"))
    trainer = instantiate(
        config.trainer,
        callbacks=callbacks,
        logger=loggers,
        plugins=[WholeFileCheckpointIO(), *([BatchNormSync()] if sync else [])],
        default_root_dir=str(run.path),
        limit_val_batches=config.trainer.limit_val_batches if data.held_out_identities else 0,
    )
    check_batch_norm_sync(trainer, sync)
    return trainer


def _go_on(last: Path, trainer: L.Trainer) -> None:
    """Say from where a run goes on, if it does, and drop what was logged after that."""
    steps = 0
    if last.is_file():
        done = read_checkpoint(last)
        _check_goes_on(done, last, trainer)
        print(f"going on after epoch {done['epoch'] + 1} of {trainer.max_epochs}")
        steps = done["global_step"]
    for logger in trainer.loggers:
        if isinstance(logger, CsvLog):
            logger.forget_after(steps)


def _check_goes_on(done: dict[str, Any], last: Path, trainer: L.Trainer) -> None:
    if "optimizer_states" not in done:
        raise ValueError(
            f"{last} is an imported checkpoint without the state of a training: start a new run from it by "
            f"visual_checkpoint={last}."
        )
    now = trainer.world_size
    before = done[META_KEY].get("processes", now)  # checkpoints of earlier versions do not say it
    # What is left of a finished training is the evaluation, which any number of processes may do.
    if before != now and done["epoch"] + 1 < (trainer.max_epochs or 0):
        raise ValueError(
            f"{last} was trained by {before} process(es) and would go on with {now}, which changes the clips "
            f"of a step and the learning rates: start {before} again (the run's trainer.devices and "
            "trainer.num_nodes or your launcher say how many), or a new run."
        )
