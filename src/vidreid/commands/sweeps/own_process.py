"""A trial that trains in several processes gets a first process of its own.

Lightning starts the others by the command of the first one, which must therefore be that of one run, and it
cannot start others a second time.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig

import vidreid


def rank() -> int:
    """Return the number of this process among those that train together."""
    return getattr(rank_zero_only, "rank", None) or 0


def wants_processes(config: DictConfig) -> bool:
    """Whether a training starts more processes of itself."""
    devices = config.trainer.devices
    one = devices in (1, "1") or (not isinstance(devices, int | str) and len(devices) == 1)
    starts = not any(word in str(config.trainer.strategy) for word in ("spawn", "fork", "notebook"))
    return starts and (not one or config.trainer.num_nodes > 1)


def run_in_own_process(overrides: Sequence[str], folder: Path) -> None:
    """Run ``train`` for one job of a sweep and wait for its end.

    Args:
        overrides: The words of the command line, with those of the job.
        folder: The run folder.
    """
    source = str(Path(vidreid.__file__).parent.parent)
    path = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "vidreid.commands.train", *overrides, f"hydra.run.dir='{folder}'"]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False)
