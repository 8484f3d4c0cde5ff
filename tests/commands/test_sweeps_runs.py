"""Sweeps as a user runs them, with real trainings on the tiny benchmark."""

import json
import shlex
import time
from pathlib import Path

import pytest

from support.runs import NARROW, SMALL, call, start
from support.searches import trials_of
from vidreid.commands.collect import collect

WORDS = (
    "experiment=pcb_synthetic", *SMALL, *NARROW, "callbacks.pictures=null", "data.held_out_identities=2",
)  # fmt: skip
# Prunes whatever is below a bound.
BOUND = ("hparams_search/pruner=none", "hparams_search.pruner._target_=optuna.pruners.ThresholdPruner")


@pytest.mark.slow
def test_a_search_is_killed_goes_on_and_makes_its_table(
    tiny_root: Path, repo_root: Path, tmp_path: Path
) -> None:
    words = (
        "-m", "hparams_search=optuna", "hparams_search.trials=3", *WORDS, f"data.root={tiny_root}",
        "trainer.max_epochs=4", "hparams_search.name=killed",
    )  # fmt: skip
    folder = tmp_path / "runs" / "searches" / "killed"
    process = start(repo_root, "train.py", *words, cwd=tmp_path)
    last = folder / "trial_1" / "checkpoints" / "last.ckpt"
    for _ in range(6000):
        if last.is_file():
            break
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    process.kill()
    process.wait(timeout=60)
    assert not (folder / "trial_1" / "metrics.json").exists()
    first = (folder / "trial_0" / "metrics.json").stat().st_mtime_ns

    status, output = call(repo_root, "train.py", *words, cwd=tmp_path)
    assert status == 0, output
    assert "trial 1 was interrupted: its settings are tried again" in output
    assert "going on after epoch" in output
    assert (folder / "trial_0" / "metrics.json").stat().st_mtime_ns == first
    trials = trials_of(folder)
    assert [trial.state.name for trial in trials] == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    for trial in (trials[0], trials[2], trials[3]):
        metrics = json.loads((folder / trial.user_attrs["folder"] / "metrics.json").read_text())
        assert metrics["held_out"]["mAP"] == trial.value
        assert "mAP" not in metrics

    assert collect(folder).count("finished |") == 3
    # The command that it names for the best trial's network works.
    command = (
        (folder / "table.md")
        .read_text()
        .partition("Its network on the test set: `python ")[2]
        .partition("`")[0]
    )
    script, *rest = shlex.split(command)
    status, output = call(repo_root, Path(script).name, *rest, cwd=tmp_path)
    assert status == 0, output
    assert "14 queries counted" in output
    assert "test mAP (not for choosing)" in collect(folder)


@pytest.mark.slow
def test_a_pruned_trial_stops_on_all_its_devices(tiny_root: Path, repo_root: Path, tmp_path: Path) -> None:
    """The first process decides; the second stops at the same epoch, and both end without an error."""
    status, output = call(
        repo_root, "train.py", "-m", "hparams_search=optuna", "hparams_search.trials=1", *WORDS, *BOUND,
        "+hparams_search.pruner.lower=2", f"data.root={tiny_root}", "trainer.max_epochs=3",
        "hparams_search.name=pruned", "trainer.devices=2", "trainer.strategy=ddp", "data.batch_size=2",
        cwd=tmp_path,
    )  # fmt: skip
    assert status == 0, output
    assert "Traceback" not in output
    folder = tmp_path / "runs" / "searches" / "pruned"
    (trial,) = trials_of(folder)
    assert trial.state.name == "PRUNED"
    assert list(trial.intermediate_values) == [0]
    assert json.loads((folder / "trial_0" / "pruned.json").read_text())["epoch"] == 1
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["searches"]


@pytest.mark.slow
def test_a_grid_returns_and_tables_held_out_numbers(tiny_root: Path, repo_root: Path, tmp_path: Path) -> None:
    status, output = call(
        repo_root, "train.py", "-m", *WORDS, f"data.root={tiny_root}", "trainer.max_epochs=1",
        "optimizer.lr=1e-3,1e-4", "seed=0,1", cwd=tmp_path,
    )  # fmt: skip
    assert status == 0, output
    (folder,) = (tmp_path / "runs" / "pcb_synthetic").iterdir()
    status, output = call(repo_root, "collect.py", f"folder={folder}", cwd=tmp_path)
    assert status == 0, output
    assert output.count("finished |") == 2
    runs = [json.loads((folder / str(number) / "metrics.json").read_text()) for number in range(4)]
    rates = {"0 1": runs[:2], "2 3": runs[2:]}
    means = {name: 50 * sum(run["held_out"]["mAP"] for run in own) for name, own in rates.items()}
    lines = [line for line in output.splitlines() if line.startswith(("| 0 1", "| 2 3"))]
    assert [line[2:5] for line in lines] == sorted(means, key=lambda name: -means[name])
    for line in lines:
        assert f" {means[line[2:5]]:.1f} ± " in line
