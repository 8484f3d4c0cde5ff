"""The processes of a training on one machine, started by vidreid itself.

Lightning would start them by the words of the command again: under ``-m`` each would then run the whole
sweep, and each would choose a folder by its own clock. Here every process gets the one configuration that was
composed, and the environment that torchrun would give it, so that both ways are one to all that comes after.
"""

import json
import os
import pickle
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf
from torch.distributed import TCPStore  # pyright: ignore[reportPrivateImportUsage]

from vidreid.commands.launching.agreement import failure_key

Task = Callable[[DictConfig], dict[str, Any]]

RESULT = "vidreid/result"
"""Where the first process leaves its result in the store."""

_FROM_OUTSIDE = re.compile(r"\$\{\s*[\w.]+\s*:")
_GRACE = 15.0  # for the others to end by themselves after one has failed
_HOST = "127.0.0.1"


def run_processes(task: Task, config: DictConfig, count: int) -> dict[str, Any]:
    """Run a task in so many processes, and wait for all.

    Args:
        task: A function of a module; its result must be plain values.
        config: Its configuration.
        count: Number of processes.

    Returns:
        What the first process returned.

    Raises:
        ValueError: If a process was killed.
        SystemExit: If one failed; it has said why.
    """
    store = TCPStore(_HOST, 0, is_master=True, wait_for_workers=False)
    # What was called, too: a run writes it down.
    told = HydraConfig.instance().cfg if HydraConfig.initialized() else None
    message = pickle.dumps((task, settled(config), sys.argv, told))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for rank in range(count):
            processes.append(_start(rank, count, store.port))
        for process in processes:
            _send(process, message)
        failed = _first_failure(processes)
        if failed is not None:
            _let_end(processes, failed, store)
    except KeyboardInterrupt:
        for process in processes:
            process.send_signal(signal.SIGINT)
        _wait(processes, _GRACE)
        raise
    finally:
        for process in processes:
            process.kill()  # nothing happens to those that are done
            process.wait()
    return json.loads(store.get(RESULT))


def settled(config: DictConfig) -> DictConfig:
    """Return a copy that looks up nothing outside itself: no clock, no environment, nothing of Hydra's.

    References within it stay, for some of what they name is filled in later.

    Args:
        config: A composed configuration.
    """
    copy = config.copy()
    flags = OmegaConf.is_readonly(copy)
    OmegaConf.set_readonly(copy, False)
    _settle(copy, OmegaConf.to_container(copy, resolve=False))
    OmegaConf.set_readonly(copy, flags)
    return copy


def _settle(node: DictConfig | ListConfig, raw: Any) -> None:
    for key, value in raw.items() if isinstance(raw, dict) else enumerate(raw):
        if isinstance(value, dict | list):
            _settle(node[key], value)
        elif isinstance(value, str) and _FROM_OUTSIDE.search(value):
            node[key] = node[key]


def _start(rank: int, count: int, port: int) -> subprocess.Popen[bytes]:
    place = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": count,
        "LOCAL_WORLD_SIZE": count,
        "GROUP_RANK": 0,
        "MASTER_ADDR": _HOST,
        "MASTER_PORT": port,
        "TORCHELASTIC_RUN_ID": f"vidreid-{os.getpid()}",
        "TORCHELASTIC_RESTART_COUNT": 0,
        "TORCHELASTIC_USE_AGENT_STORE": True,
        # The same code as here, however it was found.
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "vidreid.commands.launching.process"],
        stdin=subprocess.PIPE,
        env={**os.environ, **{name: str(value) for name, value in place.items()}},
        start_new_session=True,  # Ctrl-C reaches this process alone, which hands it on once
    )


def _send(process: subprocess.Popen[bytes], message: bytes) -> None:
    """Hand over the configuration; the pipe stays open, for its end is the sign that this process is gone."""
    assert process.stdin is not None
    try:
        process.stdin.write(struct.pack("!q", len(message)) + message)
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it failed before it could listen, and says so


def _first_failure(processes: list[subprocess.Popen[bytes]]) -> int | None:
    """Wait until all are done or one has failed, and return the number of that one."""
    while True:
        codes = [process.poll() for process in processes]
        failed = [rank for rank, code in enumerate(codes) if code]
        if failed:
            return failed[0]
        if all(code == 0 for code in codes):
            return None
        time.sleep(0.1)


def _let_end(processes: list[subprocess.Popen[bytes]], failed: int, store: TCPStore) -> None:
    """Let the others end after a failure, and end this process as the failed one did."""
    code = processes[failed].returncode
    if code > 0:
        _wait(processes, _GRACE)
        sys.exit(1)
    name = signal.Signals(-code).name
    why = " (perhaps there was not enough memory)" if code == -signal.SIGKILL else ""
    sentence = (
        f"Process {failed} of {len(processes)} was ended by {name}{why}: go on with train.py resume=RUN."
    )
    told = {"rank": failed, "machine": 0, "says": sentence}
    store.compare_set(failure_key(), "", json.dumps(told))
    _wait(processes, _GRACE)
    raise ValueError(sentence)


def _wait(processes: list[subprocess.Popen[bytes]], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(process.poll() is None for process in processes):
        time.sleep(0.1)
