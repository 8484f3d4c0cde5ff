"""A training or an evaluation on all processes that its settings ask for."""

from typing import Any, NamedTuple

import lightning as L
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.strategies.launchers.subprocess_script import _SubprocessScriptLauncher
from omegaconf import DictConfig

from vidreid.commands.launching.gpus import take_a_gpu
from vidreid.commands.launching.local_processes import Task, run_processes
from vidreid.commands.launching.one_end import one_end
from vidreid.commands.launching.place import Place
from vidreid.commands.quiet import quiet


class Wanted(NamedTuple):
    """What the settings of a trainer ask for.

    Attributes:
        on_machine: Processes on each machine, one a device.
        machines: Machines.
        by_script: Whether each process is to be started as a program of its own (DDP and its kin), rather
            than forked by Lightning.
    """

    on_machine: int
    machines: int
    by_script: bool


def everywhere(task: Task, config: DictConfig, trainer: DictConfig | None = None) -> dict[str, Any]:
    """Run a task on all processes that the settings of its trainer ask for.

    Where torchrun or srun started the processes, this is one of them. Otherwise those of this machine are
    started here, each with this very configuration.

    Args:
        task: A function of a module; its result must be plain values.
        config: Its configuration.
        trainer: The settings of its trainer; by default those of the configuration.

    Returns:
        What the task returns.

    Raises:
        ValueError: If the processes that were started are not those that the settings ask for, or a sweep
            cannot run on them.
    """
    place = Place.here()
    if place.starter == "nobody":
        take_a_gpu()
    wanted = wanted_processes(config.trainer if trainer is None else trainer)
    if place.starter != "nobody":
        _check_started(place, wanted)
        _check_sweep(place)
        with one_end():
            return task(config)
    if wanted.machines > 1:
        raise ValueError(
            f"trainer.num_nodes={wanted.machines} needs this command on {wanted.machines} machines: start it "
            "with torchrun on each of them, or with SLURM (docs/launching.md)."
        )
    if wanted.on_machine == 1 or not wanted.by_script:
        return task(config)
    return run_processes(task, config, wanted.on_machine)


def wanted_processes(trainer: DictConfig) -> Wanted:
    """Return which processes a trainer asks for.

    Args:
        trainer: The ``trainer`` group of a configuration.

    Raises:
        ValueError: If the devices are not there.
    """
    try:
        with quiet():
            built: L.Trainer = instantiate(trainer, logger=False, enable_checkpointing=False)
    except MisconfigurationException as error:
        raise ValueError(f"The trainer cannot be had here: {error}") from error
    by_script = isinstance(built.strategy.launcher, _SubprocessScriptLauncher)
    return Wanted(built.num_devices, built.num_nodes, by_script)


def _check_started(place: Place, wanted: Wanted) -> None:
    if (wanted.on_machine, wanted.machines) == (place.on_machine, place.machines):
        return
    raise ValueError(
        f"{place.starter} started {place.processes} processes ({place.on_machine} on each of "
        f"{place.machines} machines), and the settings ask for {wanted.on_machine * wanted.machines}: "
        f"add trainer.devices={place.on_machine} trainer.num_nodes={place.machines}."
    )


def _check_sweep(place: Place) -> None:
    """Refuse a sweep that would not be the same on all processes."""
    if not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN:
        return
    hydra = HydraConfig.get()
    launcher, sweeper = (str(part["_target_"]).rpartition(".")[2] for part in (hydra.launcher, hydra.sweeper))
    if launcher == "SlurmLauncher":
        return  # the processes are those of one job
    if launcher != "BasicLauncher" or sweeper != "BasicSweeper":
        raise ValueError(
            f"Under {place.starter} each process runs the sweep by itself; only a plain grid survives that, "
            f"not {sweeper} with {launcher}: leave {place.starter} out, then each job starts its own "
            "processes."
        )
