"""One of the processes that ``run_processes`` starts: it trains by the configuration that it is sent."""

import os
import pickle
import struct
import sys
import threading

from vidreid.commands.launching.place import only_the_first_speaks
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.train import train_composed


def main() -> None:
    """Receive a configuration over standard input and train."""
    with os.fdopen(os.dup(sys.stdin.fileno()), "rb") as pipe:
        (length,) = struct.unpack("!q", pipe.read(8))
        config = pickle.loads(pipe.read(length))
    threading.Thread(
        target=_end_with_starter, args=(sys.stdin.fileno(),), name="starter", daemon=True
    ).start()
    with only_the_first_speaks():
        plain_errors(train_composed)(config)


def _end_with_starter(pipe: int) -> None:
    """End when the pipe ends: the process that started this one is gone, so nobody waits for a result."""
    os.read(pipe, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
