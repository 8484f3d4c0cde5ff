"""``train``: from a configuration to a trained, evaluated run folder."""

from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from vidreid.commands import config_dir
from vidreid.commands.building import build_module, open_data, plain, without_initial_weights
from vidreid.commands.launching.agreement import first_decides
from vidreid.commands.launching.everywhere import everywhere
from vidreid.commands.launching.folders import alone_in, new_run_folder, no_empty_folder, sweep_time
from vidreid.commands.launching.place import Place, only_the_first_speaks
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.same_settings import check_same_settings
from vidreid.commands.single_training import train_single
from vidreid.commands.stages import final_stage, first_stage, has_two_stages
from vidreid.commands.sweeps.trial import ended_early, is_trial, run_trial
from vidreid.training.run_folder import RunFolder


def run_dir(resume: str | None, runs: str, name: str) -> str:
    """Return the folder of a run: the one to go on with, or a new one named by the time."""
    return resume or new_run_folder(runs, name)


# A folder is made new once; asked again, the same configuration gives the same one.
OmegaConf.register_new_resolver("run_dir", run_dir, replace=True, use_cache=True)
OmegaConf.register_new_resolver("sweep_time", sweep_time, replace=True, use_cache=True)


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
    return everywhere(train_composed, _resumed(config) if config.resume else _started(config))


def train_composed(config: DictConfig) -> dict[str, Any]:
    """Train on this process, one of those that the configuration asks for: the rest of ``train``."""
    return ended_early(_train_stages, config)


def _train_stages(config: DictConfig) -> dict[str, Any]:
    run = RunFolder(config.paths.run_dir)
    data = open_data(config)
    for notice in data.notices:
        print(f"note: {notice}")
    with alone_in(run.path):
        if first_decides(run.config_file.is_file):
            check_same_settings(run, plain(config))
        if Place.here().rank == 0:
            run.write_config(plain(config))  # also: the first stage of other rows becomes a row of its own
        if first_decides(run.metrics_file.is_file):
            print(f"finished before: {run.path}")
            return run.read_metrics()
        print(f"run folder: {run.path}   (after an interruption: train.py resume={run.path})")
        if has_two_stages(config) and config.visual_checkpoint is None:
            # What cannot be built is said now, not after stage 1.
            build_module(without_initial_weights(config))
            config.visual_checkpoint = str(_train_first_stage(config, run))
        return train_single(config, run, data)


def _train_first_stage(config: DictConfig, run: RunFolder) -> Path:
    """Train the visual branch alone, unless that has been done, and return its checkpoint."""
    first = RunFolder(config.stages.visual_run) if config.stages.visual_run else run.visual_stage
    stage = first_stage(config)
    stage.paths.run_dir = str(first.path)
    stage.name = f"{config.name}_visual_stage"
    stage.study = None
    data = open_data(stage)
    with alone_in(first.path):  # rows of a study share it, and may run at once
        if first_decides(first.config_file.is_file):
            check_same_settings(first, plain(stage))
        if not first_decides(first.metrics_file.is_file):
            print(
                f"stage 1 of 2: the visual branch alone, {stage.trainer.max_epochs} epochs, in {first.path}"
            )
            train_single(stage, first, data)
    after = "with the graph" if config.stages.plan == "visual_then_graph" else "the same without a graph"
    print(f"stage 2 of 2: {after}, {config.trainer.max_epochs} epochs")
    return first.checkpoint(config.select)


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
    stored.hparams_search = None  # whoever goes on with a trial by hand reports to no search
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
    if is_trial(config):
        return run_trial(config, train)
    with no_empty_folder(Path(config.paths.run_dir)):
        # Who compares runs gets the number of identities held out for that, never that of the test set.
        return train(config).get("held_out", {}).get("mAP")


def _overrides_besides_resume() -> list[str]:
    given = HydraConfig.get().overrides.task
    return [override for override in given if not override.startswith("resume=")]


def main() -> None:
    """Run the command."""
    with only_the_first_speaks():
        _hydra_main()
