"""``train.py`` that kills itself half-way through writing a file: ``killed_in_write.py NAME COUNT ...``.

The file of that name is cut in the middle at its COUNT-th writing, before it would be moved to its place.
"""

import os
import signal
import sys
from pathlib import Path

from vidreid import files
from vidreid.commands.train import main

NAME, LEFT = sys.argv[1], [int(sys.argv[2])]
FLUSH = files._flush


def flush(path: Path) -> None:
    if path.name.startswith(f".{NAME}.partial-"):
        LEFT[0] -= 1
        if not LEFT[0]:
            os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
    FLUSH(path)


files._flush = flush
del sys.argv[1:3]

if __name__ == "__main__":
    main()
