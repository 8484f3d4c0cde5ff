"""The search: what it finds, how it ends, goes on and refuses; its trials train nothing."""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig
from optuna.trial import TrialState

from support.searches import WORDS, run_search, scored, trials_of
from vidreid.commands.sweeps.journal import JOURNAL, LOCK
from vidreid.commands.sweeps.trial import PRUNED_FILE, stop_if_pruned, trial_callbacks, trial_folder
from vidreid.metrics.distances import NotFiniteError

SPACE = ("data.clip_length=2,4,8",)


def rate(config: DictConfig) -> dict[str, Any]:
    """The larger the rate the better."""
    return scored(config.optimizer.lr)


def hill(config: DictConfig) -> dict[str, Any]:
    """Best at a rate of 1e-3 and clips of four frames."""
    return scored(-abs(math.log10(config.optimizer.lr) + 3) - (0 if config.data.clip_length == 4 else 1))


def params(folder: Path) -> list[tuple[Any, ...]]:
    return [tuple(trial.params.values()) for trial in trials_of(folder) if trial.state == TrialState.COMPLETE]


@pytest.mark.slow
def test_the_best_settings_come_out(tmp_path: Path) -> None:
    run_search(tmp_path, hill, *SPACE, "~hparams_search.space.optimizer.weight_decay", trials=30)
    trials = trials_of(tmp_path)
    assert len(trials) == 30
    best = max(trials, key=lambda trial: trial.value)
    assert best.params["data.clip_length"] == 4
    assert best.params["optimizer.lr"] == pytest.approx(1e-3, rel=0.15)
    # It learns: the second half is better than the first, ten of which are drawn at random.
    values = [trial.value for trial in trials]
    assert sum(values[15:]) > sum(values[:15])


def test_jobs_get_the_words_of_the_command_and_their_own(tmp_path: Path) -> None:
    seen = []
    run_search(tmp_path, lambda config: seen.append(config) or rate(config), "seed=5", "experiment=pcb_mars")
    assert [config.seed for config in seen] == [5, 5, 5]
    assert [config.name for config in seen] == ["pcb_mars"] * 3
    assert [config.test for config in seen] == [False] * 3
    assert [trial_folder(config) for config in seen] == [tmp_path / f"trial_{number}" for number in range(3)]
    assert {config.optimizer.lr for config in seen} == {t.params["optimizer.lr"] for t in trials_of(tmp_path)}
    assert len({config.optimizer.weight_decay for config in seen}) == 3


def test_a_setting_that_is_given_is_not_searched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_search(tmp_path, rate, "optimizer.lr=0.5")
    assert all(list(trial.params) == ["optimizer.weight_decay"] for trial in trials_of(tmp_path))
    assert [trial.value for trial in trials_of(tmp_path)] == [0.5] * 3
    assert "note: optimizer.lr=0.5 is given, so optimizer.lr is not searched" in capsys.readouterr().out


@pytest.mark.slow
def test_more_trials_go_on_where_the_search_ended(tmp_path: Path) -> None:
    run_search(tmp_path / "twice", hill, *SPACE, trials=5)
    run_search(tmp_path / "twice", hill, *SPACE, trials=12)
    assert run_search(tmp_path / "twice", hill, *SPACE, trials=12).batches == []
    run_search(tmp_path / "once", hill, *SPACE, trials=12)
    assert params(tmp_path / "twice") == params(tmp_path / "once")
    run_search(tmp_path / "other", hill, *SPACE, "hparams_search.seed=1", trials=2)
    assert params(tmp_path / "other") != params(tmp_path / "once")[:2]


@pytest.mark.slow
def test_an_interrupted_trial_is_tried_again_in_its_folder(tmp_path: Path) -> None:
    """The search ends with what an undisturbed one finds, and the trial goes on in the folder it began."""
    run_search(tmp_path / "whole", hill, *SPACE, trials=14)
    calls = []

    def killed(config: DictConfig) -> dict[str, Any]:
        calls.append(trial_folder(config).name)
        if len(calls) == 12:  # the sampler has learned by then
            raise KeyboardInterrupt
        return hill(config)

    with pytest.raises(KeyboardInterrupt):
        run_search(tmp_path / "torn", killed, *SPACE, trials=14)
    assert trials_of(tmp_path / "torn")[-1].state == TrialState.RUNNING
    run_search(tmp_path / "torn", killed, *SPACE, trials=14)
    assert calls[11] == calls[12] == "trial_11"
    trials = trials_of(tmp_path / "torn")
    assert [trial.number for trial in trials if trial.state == TrialState.FAIL] == [11]
    assert trials[11].user_attrs["reason"] == "killed"
    assert trials[12].user_attrs == {"again": 11, "folder": "trial_11"}
    assert trials[12].params == trials[11].params
    assert params(tmp_path / "torn") == params(tmp_path / "whole")


def test_trials_are_asked_for_together(tmp_path: Path) -> None:
    assert run_search(tmp_path, rate, "hparams_search.at_once=2", trials=5).batches == [2, 2, 1]
    assert len({trial.params["optimizer.lr"] for trial in trials_of(tmp_path)}) == 5


def reporting(numbers: list[list[float]], seen: list[int] | None = None) -> Any:
    """Trainings whose epochs have these numbers, and which stop where they are told to."""
    left = iter(numbers)

    def train(config: DictConfig) -> dict[str, Any]:
        (reports,) = trial_callbacks(config)
        for epoch, number in enumerate(own := next(left)):
            stop = reports.report(epoch, number, epoch + 1 < len(own))  # type: ignore[attr-defined]
            if seen is not None:
                seen.append(epoch)
            if stop:
                break
        stop_if_pruned(config)
        return scored(own[-1])

    return train


MEDIAN = ("hparams_search.pruner.n_startup_trials=2",)


def test_a_trial_below_the_median_is_pruned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Medians of the best so far are 0.5 and 0.6: the third trial falls below in its second epoch."""
    numbers = [[0.4, 0.5, 0.6], [0.6, 0.7, 0.8], [0.55, 0.55, 0.9], [0.9, 0.9, 0.9]]
    seen: list[int] = []
    run_search(tmp_path, reporting(numbers, seen), *MEDIAN, trials=4)
    assert seen == [0, 1, 2, 0, 1, 2, 0, 1, 0, 1, 2]
    states = [trial.state for trial in trials_of(tmp_path)]
    assert states == [TrialState.COMPLETE, TrialState.COMPLETE, TrialState.PRUNED, TrialState.COMPLETE]
    assert json.loads((tmp_path / "trial_2" / PRUNED_FILE).read_text()) == {"epoch": 2, "mAP": 0.55}
    assert trials_of(tmp_path)[2].intermediate_values == {0: 0.55, 1: 0.55}
    assert f"trial 2 is pruned: {tmp_path / 'trial_2'}" in capsys.readouterr().out


def test_the_last_epoch_is_not_pruned(tmp_path: Path) -> None:
    """Its best so far, 0.57, is below the median of 0.65; but there is nothing left to be saved."""
    run_search(tmp_path, reporting([[0.5, 0.6], [0.6, 0.7], [0.56, 0.57]]), *MEDIAN)
    trials = trials_of(tmp_path)
    assert [trial.value for trial in trials] == [0.6, 0.7, 0.57]
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 3


def test_a_trial_killed_after_it_was_pruned_stays_pruned(tmp_path: Path) -> None:
    train = reporting([[0.5, 0.6], [0.6, 0.7], [0.1, 0.2]])

    def killed(config: DictConfig) -> dict[str, Any]:
        try:
            return train(config)
        except Exception as pruned:  # the journal does not hear of it
            raise KeyboardInterrupt from pruned

    with pytest.raises(KeyboardInterrupt):
        run_search(tmp_path, killed, *MEDIAN)
    run_search(tmp_path, killed, *MEDIAN)
    last = trials_of(tmp_path)[-1]
    assert (last.state, last.value, last.user_attrs["folder"]) == (TrialState.PRUNED, 0.1, "trial_2")


def test_numbers_of_no_number_report_nothing(tmp_path: Path) -> None:
    run_search(tmp_path, reporting([[math.nan, 0.5]] * 3))
    assert [trial.intermediate_values for trial in trials_of(tmp_path)] == [{1: 0.5}] * 3


def test_a_diverged_trial_counts_as_failed_and_the_search_goes_on(tmp_path: Path) -> None:
    def train(config: DictConfig) -> dict[str, Any]:
        if config.hparams_search.trial != 1:
            raise NotFiniteError("3 of 4 query descriptors are not finite")
        return rate(config)

    run_search(tmp_path, train, trials=5)
    trials = trials_of(tmp_path)
    assert [trial.state for trial in trials] == [TrialState.FAIL, TrialState.COMPLETE] + [TrialState.FAIL] * 3
    assert {trial.user_attrs.get("reason") for trial in trials} == {"diverged", None}


def test_errors_in_a_row_end_the_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def train(config: DictConfig) -> dict[str, Any]:
        if config.hparams_search.trial in (0, 1, 3, 4, 5):
            raise RuntimeError("the device has fallen asleep.")
        return rate(config)

    with pytest.raises(ValueError, match=r"3 trials in a row ended in an error, the last one so: Runtime"):
        run_search(tmp_path, train, trials=9)
    assert [trial.state for trial in trials_of(tmp_path)].count(TrialState.COMPLETE) == 1
    told = capsys.readouterr().err
    assert "error in trial 5: RuntimeError: the device has fallen asleep." in told
    run_search(tmp_path, rate, trials=3)
    assert [trial.state for trial in trials_of(tmp_path)].count(TrialState.COMPLETE) == 3


def test_a_trial_without_a_number_is_failed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No held-out query could be answered: hold out more identities"):
        run_search(tmp_path, lambda config: {"held_out": {"mAP": None}})
    with pytest.raises(ValueError, match="No held-out query could be answered"):
        run_search(tmp_path, lambda config: scored(math.nan))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("hparams_search.space.optimizer.lr.high=0.1",), r"space.optimizer.lr.high: 0.01 there, 0.1 here"),
        (("data.clip_length=2,4",), r"space.data.clip_length: None there, \[2, 4\] here"),
        (("trainer.max_epochs=11",), r"settings.trainer.max_epochs: 10 there, 11 here"),
        (("experiment=resnet50_synthetic",), r"and \d+ more\), and numbers of both do not compare"),
        (("hparams_search.direction=minimize",), "direction: maximize there, minimize here"),
    ],
)
def test_another_search_is_refused_in_the_same_folder(
    tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    run_search(tmp_path, rate)
    before = (tmp_path / JOURNAL).read_bytes()
    with pytest.raises(ValueError, match=sentence):
        run_search(tmp_path, rate, *words, trials=5)
    assert (tmp_path / JOURNAL).read_bytes() == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("data.held_out_identities=0",), "set data.held_out_identities, for example to 0.2"),
        (("test=true",), "does not look at the test set: leave out test="),
        (("test=true,false",), "does not look at the test set: leave out test="),
        (("study=kmpnet_ablation",), "A study is a grid of its own"),
        (("resume=somewhere",), "leave out resume="),
        (("hydra.sweep.dir=elsewhere",), "give that instead of hydra.sweep.dir"),
        (("hparams_search.trials=0",), "hparams_search.trials=0 must be at least 1"),
        (("hparams_search.direction=up",), "no hparams_search.direction=up: maximize or minimize"),
        (("hparams_search.space.optimizer.lr.low=1",), "low: 1 above high: 0.01: exchange them"),
        (("~hparams_search.space.optimizer",), "There is nothing to search"),
    ],
)
def test_what_makes_no_search_is_refused(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        run_search(tmp_path / "search", rate, *words)
    assert not (tmp_path / "search").exists()


def test_an_unknown_setting_is_named_by_hydra(tmp_path: Path) -> None:
    with pytest.raises(ConfigCompositionException, match=r"optimizer\.rate"):
        run_search(tmp_path / "search", rate, "+hparams_search.space.optimizer.rate=[1,2]")
    assert not (tmp_path / "search").exists()


def test_a_torn_line_of_the_journal_is_dropped(tmp_path: Path) -> None:
    """A machine that dies while it writes leaves part of a line, to which the next line would be glued."""
    run_search(tmp_path, rate)
    with (tmp_path / JOURNAL).open("a") as journal:
        journal.write('{"op_code":5,"worker_id":"')
    run_search(tmp_path, rate, trials=5)
    assert [trial.state for trial in trials_of(tmp_path)] == [TrialState.COMPLETE] * 5


def test_other_samplers_and_pruners_are_chosen_in_the_configuration(tmp_path: Path) -> None:
    words = (
        "hparams_search/pruner=hyperband",
        "hparams_search.sampler._target_=optuna.samplers.RandomSampler",
    )
    run_search(tmp_path, reporting([[0.5] * 10] * 3), *words, "~hparams_search.sampler.n_startup_trials")
    assert len(trials_of(tmp_path)) == 3
    run_search(tmp_path / "none", reporting([[0.9, 0.1, 0.5]] * 8), "hparams_search/pruner=none", trials=8)
    assert {trial.state for trial in trials_of(tmp_path / "none")} == {TrialState.COMPLETE}


class Program:
    """``support/search_program.py`` in a folder."""

    def __init__(self, repo_root: Path, folder: Path) -> None:
        self.root, self.search = repo_root, folder / "search"
        self.cwd = folder

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                sys.executable, str(self.root / "tests" / "support" / "search_program.py"), "-m",
                *WORDS, f"hparams_search.dir={self.search}",
                "hparams_search.trials=4", *words,
            ],
            cwd=self.cwd,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(self.root / "src")},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def wait_in(self, trial: str) -> None:
        self.search.mkdir(exist_ok=True)
        (self.search / "wait").write_text(trial)

    def reached(self, trial: str, process: subprocess.Popen[str]) -> None:
        for _ in range(6000):
            if (self.search / trial / "epochs").is_file():
                return
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.02)
        pytest.fail(f"{trial} was not reached")


@pytest.fixture
def program(repo_root: Path, tmp_path: Path) -> Program:
    return Program(repo_root, tmp_path)


@pytest.mark.slow
def test_a_search_survives_kill_9(program: Program, tmp_path: Path) -> None:
    program.wait_in("trial_2")
    process = program.start()
    program.reached("trial_2", process)
    # A second one in the same folder is refused, and disturbs nothing.
    second = program.start()
    output, _ = second.communicate(timeout=300)
    assert second.returncode == 1
    assert f"error: Another search (process {process.pid}) runs in {program.search}: wait for it" in output
    assert "Traceback" not in output
    process.kill()
    process.wait(timeout=60)
    assert [trial.state.name for trial in trials_of(program.search)] == ["COMPLETE", "COMPLETE", "RUNNING"]

    (program.search / "wait").unlink()
    again = program.start()
    output, _ = again.communicate(timeout=300)
    assert again.returncode == 0, output
    trials = trials_of(program.search)
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 2 + ["FAIL"] + ["COMPLETE"] * 2
    assert trials[3].params == trials[2].params
    # It went on after its epoch 0 in the folder that it had, and knows what it had reported.
    assert (program.search / "trial_2" / "epochs").read_text() == "012"
    assert list(trials[3].intermediate_values) == [0, 1, 2]
    assert not (program.search / "trial_3").exists()
    best = max(trial.value for trial in trials if trial.value is not None)
    assert f"with {best:.4f}" in output
    assert f"trial 2 was interrupted: its settings are tried again, in {program.search / 'trial_2'}" in output


@pytest.mark.slow
def test_a_trial_that_outlives_its_search_is_waited_for(program: Program, tmp_path: Path) -> None:
    """Its process holds the lock of its run folder, although nobody waits for it any more."""
    program.wait_in("trial_0")
    process = program.start()
    program.reached("trial_0", process)
    process.kill()
    process.wait(timeout=60)
    holder = subprocess.Popen(
        [
            sys.executable, "-c",
            "import sys; from pathlib import Path\n"
            "from vidreid.commands.sweeps.process_lock import hold\n"
            "with hold(Path(sys.argv[1]), ''): print('held', flush=True); sys.stdin.read()",
            str(program.search / "trial_0" / LOCK),
        ],
        env={**os.environ, "PYTHONPATH": str(program.root / "src")},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    refused = f"Trial 0 of {program.search} still trains \\(process {holder.pid}\\)"
    with pytest.raises(ValueError, match=refused):
        run_search(program.search, rate)
    holder.communicate("")
    run_search(program.search, rate)
    assert trials_of(program.search)[1].user_attrs == {"again": 0, "folder": "trial_0"}


@pytest.mark.slow
def test_jobs_in_processes_of_their_own_report_by_folder_and_number(program: Program) -> None:
    process = program.start(
        "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hparams_search.at_once=2", *MEDIAN
    )
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    trials = trials_of(program.search)
    assert len(trials) == 4
    assert all(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in trials)
    assert all(0 in trial.intermediate_values for trial in trials)
