"""Trainings on several processes, as a user runs them: what is refused, and what a kill leaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from support.runs import NARROW, SMALL, compose_training
from vidreid.commands.train import train

PCB = ("experiment=pcb_synthetic", *SMALL, *NARROW, "callbacks.pictures=null")
TWO = ("trainer.devices=2", "trainer.strategy=ddp")


def last(run: Path) -> dict[str, Any]:
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)


def change(run: Path, processes: int | None = None, **settings: Any) -> None:
    """Rewrite what a run says of its number of processes, or settings of its trainer."""
    if processes is not None:
        content = last(run)
        content["vidreid"]["processes"] = processes
        torch.save(content, run / "checkpoints" / "last.ckpt")
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["trainer"].update(settings)
    (run / "config.yaml").write_text(yaml.safe_dump(config))


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_statistics_of_processes_without_gpus_cannot_be_shared(
    tiny_root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], processes: int
) -> None:
    """One process raises it; of two that vidreid starts one says it, and both end."""
    options = (f"trainer.devices={processes}", "trainer.strategy=ddp", "trainer.sync_batchnorm=true")
    sentence = f"has {processes} process(es) on the CPU: set trainer.sync_batch"
    with pytest.raises(ValueError if processes == 1 else SystemExit) as refused:
        train(compose_training(tiny_root, tmp_path, *PCB, *options))
    assert f"{refused.value}\n{capfd.readouterr().err}".count(sentence) == 1
    assert not (tmp_path / "checkpoints").exists()


def test_another_number_of_processes_may_evaluate_but_not_train_on(tiny_root: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    # On a single device there is nothing to share and nothing to refuse.
    once = compose_training(tiny_root, run, *PCB, "trainer.max_epochs=1", "trainer.sync_batchnorm=true")
    metrics = train(once)
    assert last(run)["vidreid"]["processes"] == 1

    (run / "metrics.json").unlink()
    change(run, processes=2, max_epochs=2)
    resume = compose_training(tiny_root, run, f"resume={run}")
    with pytest.raises(ValueError, match=r"by 2 process\(es\) and would go on with 1, .*: start 2 again"):
        train(resume)
    assert last(run)["epoch"] == 0

    # All epochs are done: only the evaluation is left.
    change(run, max_epochs=1)
    assert train(resume) == metrics
    (run / "metrics.json").unlink()
    # A checkpoint of an earlier version does not say how many there were.
    content = last(run)
    del content["vidreid"]["processes"]
    torch.save(content, run / "checkpoints" / "last.ckpt")
    change(run, max_epochs=2)
    train(resume)
    assert last(run)["epoch"] == 1


@pytest.mark.slow
def test_two_killed_processes_end_as_uninterrupted_ones(
    tiny_root: Path, tmp_path: Path, repo_root: Path
) -> None:
    """Both are killed at once after the first epoch; the run itself knows that two must go on."""
    options = (*PCB, *TWO, "trainer.max_epochs=4", "data.sampler=identity", "data.identities_per_batch=2",
               "data.tracklets_per_identity=2", f"data.root={tiny_root}")  # fmt: skip
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    status, output = finished(start(repo_root, tmp_path, *options, f"hydra.run.dir={whole}"))
    assert status == 0, output
    assert last(whole)["vidreid"]["processes"] == 2

    process = start(repo_root, tmp_path, *options, f"hydra.run.dir={torn}")
    deadline = time.monotonic() + 300
    while not (torn / "checkpoints" / "last.ckpt").is_file():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert not (torn / "metrics.json").exists()
    done = last(torn)["epoch"] + 1
    assert done < 4

    single = shutil.copytree(torn, tmp_path / "single")
    change(single, devices=1, strategy="auto")
    with pytest.raises(ValueError, match=r"by 2 process\(es\) and would go on with 1"):
        train(compose_training(tiny_root, single, f"resume={single}"))

    status, output = finished(start(repo_root, tmp_path, f"resume={torn}"))
    assert status == 0, output
    assert f"going on after epoch {done} of 4" in output
    one, other = last(whole), last(torn)
    assert other["vidreid"]["processes"] == 2
    for key, value in one["state_dict"].items():
        assert torch.equal(value, other["state_dict"][key]), key
    moments = [content["optimizer_states"][0]["state"] for content in (one, other)]
    assert moments[0].keys() == moments[1].keys() != set()
    for key, state in moments[0].items():
        assert all(torch.equal(value, moments[1][key][name]) for name, value in state.items())
    numbers = [json.loads((run / "metrics.json").read_text()) for run in (whole, torn)]
    assert numbers[0]["cmc"] == numbers[1]["cmc"]
    assert numbers[0]["mAP"] == numbers[1]["mAP"]


def start(repo_root: Path, cwd: Path, *overrides: str) -> subprocess.Popen[str]:
    """Start ``train.py`` with a process group of its own, to which the processes that it starts belong."""
    return subprocess.Popen(
        [sys.executable, str(repo_root / "src" / "train.py"), *overrides],
        cwd=cwd, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    try:
        output, _ = process.communicate(timeout=400)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, output
