"""What the first process decides holds for all, before they have a process group to talk by.

They meet in the key-value store that torchrun keeps for its processes; under srun the first process keeps it,
at the address and port at which Lightning lets them meet again later.
"""

import functools
import itertools
import json
import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar, cast

from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from torch.distributed import TCPStore  # pyright: ignore[reportPrivateImportUsage]

from vidreid.commands.launching.place import Place

T = TypeVar("T")

_PATIENCE = timedelta(minutes=30)
_decisions = itertools.count()


def first_decides(decide: Callable[[], T], lasting: str | None = None) -> T:
    """Return what the first process decides, on all of them; they must ask in the same order.

    Args:
        decide: Called by the first process alone; its answer must be a plain value.
        lasting: A name under which the answer stays for processes that torchrun starts again after a failure.
    """
    place = Place.here()
    if place.processes == 1:
        return decide()
    key = f"vidreid/{lasting}" if lasting else attempt_key(f"decision_{next(_decisions)}")
    store = meeting_store()
    if place.rank == 0 and not (lasting and store.check([key])):
        store.set(key, json.dumps(decide()))
    while not store.check([key]):
        time.sleep(0.1)
    return cast(T, json.loads(store.get(key)))


@functools.cache
def meeting_store() -> TCPStore:
    """Return the store of this training; a process keeps the one connection."""
    return connect()


def connect() -> TCPStore:
    """Open a connection to the store; the first process under srun opens the store itself."""
    place = Place.here()
    if place.starter == "srun":
        slurm = SLURMEnvironment()
        host, port = slurm.main_address, slurm.main_port
    else:
        host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    kept_by_starter = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    return TCPStore(
        host,
        port,
        is_master=place.rank == 0 and not kept_by_starter,
        wait_for_workers=False,
        timeout=_PATIENCE,
        multi_tenant=True,  # the process group opens its own at the same port
    )


def failure_key() -> str:
    """Return the name of the entry in which a process says that it failed."""
    return attempt_key("failed")


def attempt_key(name: str) -> str:
    """Return the name of an entry of this attempt alone: torchrun may start failed processes again."""
    return f"vidreid/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}/{name}"
