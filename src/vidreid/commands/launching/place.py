"""Which process of a training this is, by what its starter put into the environment."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Literal, NamedTuple

INTERACTIVE = ("bash", "interactive")
"""Names of SLURM jobs in which a person sits: there, commands are started one by one."""


class Place(NamedTuple):
    """One process among those of a training.

    Attributes:
        starter: ``torchrun`` (or vidreid itself, which gives its processes the same environment), ``srun``,
            or ``nobody``: a plain call of the command.
        rank: Number of this process; the first writes and prints.
        processes: Number of all processes.
        machines: Number of all machines.
        machine: Number of this machine.
    """

    starter: Literal["nobody", "torchrun", "srun"] = "nobody"
    rank: int = 0
    processes: int = 1
    machines: int = 1
    machine: int = 0

    @classmethod
    def here(cls) -> "Place":
        """Return the place of this process."""
        env = os.environ
        if "TORCHELASTIC_RUN_ID" in env:
            processes, each = int(env["WORLD_SIZE"]), int(env["LOCAL_WORLD_SIZE"])
            return cls("torchrun", int(env["RANK"]), processes, processes // each, int(env["GROUP_RANK"]))
        if is_srun_task():
            processes, machines = int(env["SLURM_NTASKS"]), int(env.get("SLURM_NNODES", "1"))
            return cls("srun", int(env["SLURM_PROCID"]), processes, machines, int(env["SLURM_NODEID"]))
        return cls()

    @property
    def on_machine(self) -> int:
        """Number of processes on each machine."""
        return self.processes // self.machines


def is_srun_task() -> bool:
    """Whether srun started this process as one of several. (A batch script and its plain calls are none.)"""
    env = os.environ
    several = int(env.get("SLURM_NTASKS", "1")) > 1
    return several and "SLURM_STEP_ID" in env and env.get("SLURM_JOB_NAME") not in INTERACTIVE


@contextmanager
def only_the_first_speaks() -> Iterator[None]:
    """Let all processes but the first print nothing: they would repeat it. Errors are still theirs to say."""
    if Place.here().rank == 0:
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        yield
