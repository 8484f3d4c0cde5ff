"""A GPU of its own for each job of a sweep that runs several at once (``hydra/launcher=joblib_gpus``).

The jobs are run by a few processes, one job after the other. So a GPU belongs to a process, not to a job:
once CUDA has started in a process it cannot change. A process takes a free one before its first job and keeps
it until it ends. (Job number modulo GPUs would put two jobs on one GPU as soon as one is shorter than the
others.) Free is what no other process of the machine has locked, whichever sweep it belongs to.
"""

import fcntl
import os
import tempfile
import time
from pathlib import Path
from typing import IO, cast

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

SETTING = "VIDREID_JOBS_PER_GPU"
VISIBLE = "CUDA_VISIBLE_DEVICES"

_taken: tuple[str, IO[str]] | None = None


def visible_gpus() -> list[str]:
    """Return the names of the GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` takes them."""
    if VISIBLE in os.environ:
        return [name.strip() for name in os.environ[VISIBLE].split(",") if name.strip()]
    return [str(number) for number in range(torch.cuda.device_count())]


def jobs_at_once(jobs_per_gpu: int | str) -> int:
    """Return how many jobs run at once: so many for each GPU; without any, one for every two cores."""
    gpus = len(visible_gpus())
    return gpus * int(jobs_per_gpu) if gpus else max(1, (os.cpu_count() or 1) // 2)


OmegaConf.register_new_resolver("jobs_at_once", jobs_at_once, replace=True)


def take_a_gpu() -> None:
    """Leave this process one GPU, if its launcher asks for that and there are any. Must come before CUDA."""
    global _taken
    jobs_per_gpu = os.environ.get(SETTING)
    if jobs_per_gpu is None:
        return
    if _taken is None:
        gpus = visible_gpus()
        if not gpus:
            return
        hydra = cast(DictConfig | None, HydraConfig.instance().cfg)
        number = None if hydra is None else OmegaConf.select(hydra, "hydra.job.num")
        _taken = _lock_one(gpus, int(jobs_per_gpu), number or 0)
        print(f"jobs of process {os.getpid()} run on GPU {_taken[0]}")
    os.environ[VISIBLE] = _taken[0]


def _lock_one(gpus: list[str], jobs_per_gpu: int, first: int) -> tuple[str, IO[str]]:
    """Wait for a free place on a GPU, looking at that of this job's number first."""
    folder = Path(tempfile.gettempdir()) / f"vidreid-gpus-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    places = [(gpu, place) for place in range(jobs_per_gpu) for gpu in gpus]
    first %= len(places)
    told = False
    while True:
        for gpu, place in places[first:] + places[:first]:
            file = (folder / f"{gpu.replace('/', '-')}.{place}").open("w")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                continue
            return gpu, file
        if not told:
            print("every GPU has its jobs: waiting for a free one")
            told = True
        time.sleep(1.0)
