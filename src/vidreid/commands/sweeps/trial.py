"""A trial in the process of its job: it reports to the journal, and tells it how it ended.

It finds its trial by folder and number alone, so it may run in any process that sees the folder.
"""

import math
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lightning as L
from hydra.utils import instantiate
from omegaconf import DictConfig
from optuna.study import Study
from optuna.trial import Trial, TrialState

from vidreid.commands.plain_errors import sentence_of
from vidreid.commands.stages import first_stage, has_two_stages
from vidreid.commands.sweeps.journal import AGAIN, DIVERGED, LOCK, fail, open_study, trial_of
from vidreid.commands.sweeps.process_lock import hold
from vidreid.files import write_json
from vidreid.metrics.distances import NotFiniteError
from vidreid.training.held_out_reports import HeldOutReports

PRUNED_FILE = "pruned.json"
_ENDED = "ended"
"""In the place of numbers: ``pruned``, or the sentence of a training that diverged."""


class PrunedError(Exception):
    """A trial was stopped because others did better at the same epoch."""


def is_trial(config: DictConfig) -> bool:
    """Whether a job is a trial of a search."""
    return config.hparams_search is not None and config.hparams_search.trial is not None


def run_trial(config: DictConfig, train: Callable[[DictConfig], Mapping[str, Any]]) -> float | None:
    """Train a trial and tell the journal how it ended.

    Args:
        config: The configuration of the job.
        train: Trains on all its processes and returns what ``metrics.json`` holds, or what ``ended_early``
            says where the training ends before its time.

    Returns:
        The held-out mAP; ``None`` for a trial that was pruned or failed.
    """
    folder, number = trial_folder(config), config.hparams_search.trial
    busy = f"Trial {number} in {folder} is being trained by process {{process}}: wait for it or end it."
    with hold(folder / LOCK, busy):
        study = open_study(folder.parent, instantiate(config.hparams_search.pruner))
        take_over_reports(study, trial_of(study, number))
        return _train_and_tell(config, train, study, number)


def ended_early(train: Callable[[DictConfig], dict[str, Any]], config: DictConfig) -> dict[str, Any]:
    """Train, and say as a plain value if a trial was pruned or diverged: it crosses from process to process.

    Args:
        train: Trains on one process of several.
        config: The configuration of the run.
    """
    if not is_trial(config):
        return train(config)
    try:
        return train(config)
    except PrunedError:
        return {_ENDED: "pruned"}
    except NotFiniteError as error:
        return {_ENDED: str(error)}


def trial_callbacks(config: DictConfig) -> list[L.Callback]:
    """Return what a training needs to report to its trial, if it is one."""
    if not is_trial(config):
        return []
    # The epochs of a first stage count before those of the second.
    before = first_stage(config).trainer.max_epochs if has_two_stages(config) else 0
    return [HeldOutReports(_Reporter(config), first_step=before)]


def stop_if_pruned(config: DictConfig) -> None:
    """Raise :class:`PrunedError` if the training of a trial was stopped: asked by every process after it."""
    if is_trial(config) and (trial_folder(config) / PRUNED_FILE).is_file():
        raise PrunedError


def trial_folder(config: DictConfig) -> Path:
    """Return the run folder of a trial, also during its first stage."""
    return Path(config.hparams_search.dir).absolute() / config.hparams_search.folder


def take_over_reports(study: Study, trial: Trial) -> None:
    """Give a trial that goes on in the folder of a killed one what that one had reported."""
    if AGAIN in trial.user_attrs:
        for step, value in study.get_trials(deepcopy=False)[
            trial.user_attrs[AGAIN]
        ].intermediate_values.items():
            trial.report(value, step)


def _train_and_tell(
    config: DictConfig, train: Callable[[DictConfig], Mapping[str, Any]], study: Study, number: int
) -> float | None:
    folder = trial_folder(config)
    try:
        stop_if_pruned(config)  # killed after it was pruned, before the journal knew
        metrics = train(config)
        if _ENDED in metrics:
            raise PrunedError if metrics[_ENDED] == "pruned" else NotFiniteError(metrics[_ENDED])
        value = (metrics.get("held_out") or {}).get("mAP")
        if value is None or math.isnan(value):
            raise ValueError("No held-out query could be answered: hold out more identities.")
    except PrunedError:
        study.tell(number, state=TrialState.PRUNED)
        print(f"trial {number} is pruned: {folder}")
    except NotFiniteError as error:
        fail(study, number, DIVERGED)
        print(f"trial {number} diverged and counts as failed: {error}")
    except SystemExit:
        fail(study, number, "one of its processes failed, and said why on the screen")
        print(f"error in trial {number}: one of its processes failed, see above", file=sys.stderr)
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            traceback.print_exc()
        reason = sentence or f"{type(error).__name__}: {error}"
        fail(study, number, reason)
        print(f"error in trial {number}: {reason}", file=sys.stderr)
    else:
        study.tell(number, value)
        return value
    return None


class _Reporter:
    """Reports to the trial's journal, which is opened anew: so it can be sent to another process."""

    def __init__(self, config: DictConfig) -> None:
        self.folder = trial_folder(config)
        self.number = config.hparams_search.trial
        self.pruner = config.hparams_search.pruner

    def __call__(self, step: int, value: float, may_stop: bool) -> bool:
        study = open_study(self.folder.parent, instantiate(self.pruner))
        trial = trial_of(study, self.number)
        known = study.get_trials(deepcopy=False)[self.number].intermediate_values
        if step not in known and not math.isnan(value):  # an epoch is repeated after a kill
            trial.report(value, step)
        if not (may_stop and trial.should_prune()):
            return False
        write_json(self.folder / PRUNED_FILE, {"epoch": step + 1, "mAP": value})
        return True
