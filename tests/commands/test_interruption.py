"""Runs that are killed again and again end as one that was left alone, bit for bit."""

import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from support.runs import SMALL, call, start
from support.same_runs import run_differences

EPOCHS = 6
# Everything that has a state: dropped paths, drawn identities, two optimisers, a schedule, a best epoch.
SETTINGS = (
    "experiment=key_reid_synthetic", *SMALL, "data.identities_per_batch=2", "data.identity_visits=2",
    "model.backbone.embedding=24", "model.backbone.depth=2", "model.backbone.heads=2",
    "model.backbone.patch=16", "model.backbone.stride=16", "model.backbone.drop_path=0.3",
    "data.jitter=0.3", "data.held_out_identities=2", "select=best", f"trainer.max_epochs={EPOCHS}",
    "callbacks.pictures=null",
)  # fmt: skip
KILLS = 20
PHASES = ("starting", "before the first checkpoint", "training", "evaluating")


@pytest.fixture(scope="module")
def whole(tiny_root: Path, repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nobody disturbs."""
    folder = tmp_path_factory.mktemp("interruption")
    status, output = call(repo_root, "train.py", *command(tiny_root, folder / "whole"), cwd=folder)
    assert status == 0, output
    return folder / "whole"


def command(root: Path, run: Path) -> tuple[str, ...]:
    return *SETTINGS, f"data.root={root}", f"hydra.run.dir={run}"


class State(NamedTuple):
    """What can be seen of a run from outside.

    Attributes:
        starts: Trainings that have begun, from environment.json.
        epochs: Epochs in last.ckpt.
        half: Names of half-written files.
    """

    starts: int
    epochs: int
    half: list[str]


def look(run: Path) -> State:
    record, last = run / "environment.json", run / "checkpoints" / "last.ckpt"
    starts = 1 + len(json.loads(record.read_text())["continued"]) if record.is_file() else 0
    epochs = epochs_of(last, last.stat().st_mtime_ns) if last.is_file() else 0
    return State(starts, epochs, sorted(path.name for path in run.rglob(".*.partial-*")))


@functools.cache  # looking must not slow down what is looked at
def epochs_of(checkpoint: Path, time_ns: int) -> int:
    return torch.load(checkpoint, weights_only=True)["epoch"] + 1


def phase(before: State, now: State) -> str:
    if now.starts == before.starts:
        return "starting"
    if now.epochs == 0:
        return "before the first checkpoint"
    return "training" if now.epochs < EPOCHS else "evaluating"


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_twenty_kills_at_random_moments_change_nothing(
    whole: Path, tiny_root: Path, repo_root: Path, tmp_path: Path
) -> None:
    """kill -9 at a drawn time after the run has got somewhere; more than twenty if a phase was missed."""
    draw = random.Random(0)
    seen: Counter[str] = Counter()
    runs: list[Path] = []
    while not enough(seen):
        assert len(runs) < 8, seen
        runs.append(tmp_path / f"run_{len(runs)}")
        while not enough(seen) and (name := kill_once(runs[-1], draw, tiny_root, repo_root)) is not None:
            seen[name] += 1
        status, output = call(repo_root, "train.py", *command(tiny_root, runs[-1]), cwd=tmp_path)
        assert status == 0, output
        assert run_differences(whole, runs[-1]) == []
        assert look(runs[-1]).half == []
    print(dict(seen), f"in {len(runs)} runs")


def enough(seen: Counter[str]) -> bool:
    return seen.total() >= KILLS and all(seen[name] > 0 for name in PHASES)


def kill_once(run: Path, draw: random.Random, root: Path, repo_root: Path) -> str | None:
    """Start or go on with a run, kill it, and return in which phase; ``None`` if it ended before."""
    before = look(run) if run.exists() else State(0, 0, [])
    resume = (run / "config.yaml").is_file() and draw.random() < 0.5
    overrides = (f"resume={run}",) if resume else command(root, run)
    kinds = {
        "begun": lambda: look(run).starts > before.starts,
        "next checkpoint": lambda: look(run).epochs > before.epochs,
        "last checkpoint": lambda: look(run).epochs == EPOCHS,
        "at once": lambda: True,
    }
    kind = draw.choices(list(kinds), (3, 6, 1, 2))[0]
    # Setting up takes seconds, a step or an evaluation tenths of one.
    delay = draw.uniform(0, 5 if kind == "at once" else 0.5)
    process = start(repo_root, "train.py", *overrides, cwd=run.parent)
    if not wait_for(kinds[kind], process) or ended(process, delay):
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
        return None
    process.kill()
    output, _ = process.communicate(timeout=60)
    if process.returncode == 0:
        return None
    assert process.returncode == -signal.SIGKILL, output
    now = look(run)
    name = phase(before, now)
    print(f"kill: {kind} + {delay:.2f} s, {name}, {now}")
    return name


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    while not happened():
        if process.poll() is not None:
            return False
        time.sleep(0.01)
    return True


def ended(process: subprocess.Popen[str], seconds: float) -> bool:
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_kill_in_the_middle_of_every_file_changes_nothing(
    whole: Path, tiny_root: Path, repo_root: Path, tmp_path: Path
) -> None:
    """The old file stays, its half is not taken for it and is gone at the end."""
    run = tmp_path / "run"
    script = repo_root / "tests" / "support" / "killed_in_write.py"
    for name, count, folder in (
        ("config.yaml", 1, run),
        ("environment.json", 1, run),
        ("metrics.csv", 1, run / "csv"),
        ("best.ckpt", 1, run / "checkpoints"),
        ("last.ckpt", 1, run / "checkpoints"),
        ("last.ckpt", 3, run / "checkpoints"),
        ("metrics.csv", 4, run / "csv"),
        ("metrics.json", 1, run),
    ):
        old = (folder / name).read_bytes() if count == 1 and (folder / name).exists() else None
        done = subprocess.run(
            [sys.executable, str(script), name, str(count), *command(tiny_root, run)],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(repo_root / "src")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
        (half,) = folder.glob(f".{name}.partial-*")
        assert half.stat().st_size > 0
        assert (folder / name).exists() == (count > 1 or old is not None)
        if old is not None:
            assert (folder / name).read_bytes() == old
        assert not (run / "metrics.json").exists()
    status, output = call(repo_root, "train.py", f"resume={run}", cwd=tmp_path)
    assert status == 0, output
    assert run_differences(whole, run) == []
    assert look(run).half == []
