"""Small trainings for tests."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from vidreid.commands import config_dir

SMALL = (
    "data.workers=0",
    "data.batch_size=4",
    "data.clip_length=2",
    "data.test_clip_length=2",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "logger.wandb.mode=disabled",
)
"""Overrides of a training that takes seconds."""

NARROW = ("model.visual.channels=[8,16,24,32]", "model.visual.reduced=16")
"""Overrides of a network that takes milliseconds."""


def compose_training(root: Path, run: Path, *overrides: str) -> DictConfig:
    """Compose ``conf/train.yaml`` as the command does."""
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose("train", [f"data.root={root}", f"paths.run_dir={run}", *overrides])


def start(repo_root: Path, script: str, *overrides: str, cwd: Path) -> subprocess.Popen[str]:
    """Start ``python src/SCRIPT overrides...`` in a folder of its own."""
    return subprocess.Popen(
        [sys.executable, str(repo_root / "src" / script), *overrides],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # What runs the tests may ignore Ctrl-C, as shells do in the background; the command must not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def call(repo_root: Path, script: str, *overrides: str, cwd: Path) -> tuple[int, str]:
    """Run ``python src/SCRIPT overrides...`` and return its exit status and what it printed."""
    process = start(repo_root, script, *overrides, cwd=cwd)
    output, _ = process.communicate(timeout=300)
    return process.returncode, output
