"""One of the processes that ``run_processes`` starts: it does the task that it is sent."""

import json
import os
import pickle
import struct
import sys
import threading
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from vidreid.commands.launching.agreement import meeting_store
from vidreid.commands.launching.local_processes import RESULT, Task
from vidreid.commands.launching.one_end import one_end
from vidreid.commands.launching.place import Place, only_the_first_speaks
from vidreid.commands.plain_errors import plain_errors


def main() -> None:
    """Receive a task and its configuration over standard input, do it, and leave the result in the store."""
    with os.fdopen(os.dup(sys.stdin.fileno()), "rb") as pipe:
        (length,) = struct.unpack("!q", pipe.read(8))
        task, config, sys.argv, told = pickle.loads(pipe.read(length))
    if told is not None:
        HydraConfig.instance().set_config(told)
    threading.Thread(
        target=_end_with_starter, args=(sys.stdin.fileno(),), name="starter", daemon=True
    ).start()
    with only_the_first_speaks():
        result = plain_errors(_do)(task, config)
    if Place.here().rank == 0:
        meeting_store().set(RESULT, json.dumps(result))


def _do(task: Task, config: DictConfig) -> dict[str, Any]:
    with one_end():
        return task(config)


def _end_with_starter(pipe: int) -> None:
    """End when the pipe ends: the process that started this one is gone, so nobody waits for a result."""
    os.read(pipe, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
