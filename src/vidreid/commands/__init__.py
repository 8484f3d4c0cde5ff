"""Entry points: parse, call, print.

Each module here is a command with a ``main`` function; ``src/NAME.py`` and ``vidreid NAME`` call it.
"""

import importlib
import sys
from pathlib import Path

COMMANDS = {
    "train": "train a network, resume a run, sweep",
    "eval": "evaluate a run again",
    "crop": "cut the boxes of tracked people out of videos",
    "check_data": "say what is wrong with a benchmark before training",
    "synthesize": "render the procedural benchmark",
    "pose": "estimate keypoints and fill their store",
    "pack": "copy the frames of a benchmark into one file a split",
    "protocols": "rank the same descriptors under every protocol",
    "collect": "table of a study, a search or a grid",
    "pictures": "draw tracklets with their keypoints, where networks look, what two of them find",
    "import_checkpoint": "turn a released checkpoint into a run",
    "export": "write the descriptor network of a run without its training-only parts",
    "write_keypoints": "write the keypoints of a benchmark for other tools",
    "demo": "render, train, evaluate and compare in a few minutes",
}
MODULES = {"eval": "evaluate"}


def config_dir() -> str:
    """Return the folder of the Hydra configuration: the checkout's ``conf``, or the wheel's copy of it."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package.parent.parent / "conf", package / "conf"):
        if (folder / "train.yaml").is_file():
            return str(folder)
    raise FileNotFoundError(f"The configuration folder is missing beside {package}: install vidreid again.")


def main() -> None:
    """Run ``vidreid COMMAND key=value ...``."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print("usage: vidreid COMMAND [key=value ...]   (vidreid COMMAND --help lists the keys)\n")
        for name, what in COMMANDS.items():
            print(f"  {name:<19}{what}")
        sys.exit(0 if sys.argv[1:] in ([], ["-h"], ["--help"]) else 2)
    name = sys.argv.pop(1)
    sys.argv[0] = f"vidreid {name}"
    importlib.import_module(f"vidreid.commands.{MODULES.get(name, name)}").main()
