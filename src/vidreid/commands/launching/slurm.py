"""Jobs on SLURM (``hydra/launcher=slurm``): what each asks for, and a look at it before it is submitted."""

import shutil
import sys
from pathlib import Path
from typing import Any

import submitit
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from submitit.slurm.slurm import SlurmExecutor
from typing_extensions import override

from vidreid.commands.plain_errors import plain_errors
from vidreid.files import write_whole


def gpus_on_machine(accelerator: str, devices: Any) -> Any:
    """Return the number of GPUs on each machine: one for each task, none for trainings on processors."""
    return 0 if accelerator == "cpu" else devices


def cores_for_task(workers: int) -> int:
    """Return the number of cores for each task: one for training, and one for each process that reads."""
    return workers + 1


for _resolver in (gpus_on_machine, cores_for_task):
    OmegaConf.register_new_resolver(_resolver.__name__, _resolver, replace=True)


class Submission(Callback):
    """Looks at a sweep before Hydra's launcher submits it.

    Args:
        dry: Go as far as the script for sbatch, print it, and end there. (Hydra takes launchers from packages
            of its own only. So the launcher is the real one, and the two places in submitit where SLURM comes
            in are replaced.)
    """

    def __init__(self, dry: bool = False) -> None:
        self.dry = dry

    @override
    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check the settings, and end the command with one sentence if they cannot be submitted."""
        plain_errors(check_submission)(config, self.dry)
        if self.dry:
            SlurmExecutor.affinity = classmethod(lambda cls: 1)  # pyright: ignore[reportAttributeAccessIssue]
            submitit.AutoExecutor.map_array = _show  # pyright: ignore[reportAttributeAccessIssue]

    @override
    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Refuse a single run: Hydra would train here and now."""
        plain_errors(_refuse_single_run)()


def _refuse_single_run() -> None:
    raise ValueError("Hydra submits sweeps only: add -m after train.py, for a single training as well.")


def check_submission(config: DictConfig, dry: bool) -> None:
    """Check that a sweep can be submitted from here.

    Args:
        config: Its configuration.
        dry: Whether it is only to be shown.

    Raises:
        ValueError: If it cannot.
    """
    if not isinstance(config.trainer.devices, int) or config.trainer.devices < 1:
        raise ValueError(
            f"trainer.devices={config.trainer.devices}: where a job is submitted nobody knows how many GPUs "
            "its machine will have: say it by trainer.devices=N."
        )
    if not dry and shutil.which("sbatch") is None:
        raise ValueError(
            "There is no sbatch here, so this is no machine of a SLURM cluster: hydra/launcher=slurm_dry "
            "shows what would be submitted, hydra/launcher=joblib_gpus uses the GPUs of this machine."
        )


def _show(executor: submitit.AutoExecutor, function: Any, *arguments: Any) -> None:
    """Write and print the script that would be submitted, and end."""
    jobs = [(overrides, number) for overrides, _, number, *_ in zip(*arguments, strict=True)]
    slurm = executor._executor
    assert isinstance(slurm, SlurmExecutor)
    if len(jobs) > 1:
        slurm.parameters["map_count"] = len(jobs)
    text = slurm._make_submission_file_text(slurm._submitit_command_str, "dry")
    file = Path(str(function.config.hydra.sweep.dir)) / "sbatch.sh"
    with write_whole(file) as temporary:
        temporary.write_text(text)
    print(text)
    for overrides, number in jobs:
        print(f"# job {number}: {' '.join(overrides)}")
    print(f"\nnothing was submitted; the script is {file}")
    sys.exit(0)
