"""The trials of a search as rows of a table, what mattered, and how to train the best one."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from vidreid.commands.sweeps.journal import AGAIN, DIVERGED, FOLDER, KILLED, REASON, open_study, read_settings
from vidreid.commands.sweeps.space import override
from vidreid.commands.sweeps.table import SweepRow, best_first, read_numbers, together
from vidreid.commands.sweeps.trial import PRUNED_FILE

ENOUGH = 10
"""Whole trials from which the importance of settings is told."""


def search_rows(folder: Path) -> tuple[list[SweepRow], list[str]]:
    """Read a search.

    Args:
        folder: Its folder, with the journal.

    Returns:
        Its rows, the best first, and sentences that belong below the table.
    """
    study = open_study(folder)
    trials = study.get_trials(deepcopy=False)
    tried_again = {trial.user_attrs.get(AGAIN) for trial in trials}
    rows = [_row(trial, folder) for trial in trials if trial.number not in tried_again]
    maximize = study.direction == StudyDirection.MAXIMIZE
    words = read_settings(folder)
    told = [
        *_importance(study, len(words["space"])),
        *_best(study, folder, words["command"], words["settings"]["select"]),
    ]
    return best_first(rows, maximize=maximize), told


def _row(trial: FrozenTrial, folder: Path) -> SweepRow:
    run = folder / trial.user_attrs.get(FOLDER, f"trial_{trial.number}")
    held_out, test = read_numbers(run)
    state = _state(trial)
    if trial.state == TrialState.PRUNED:
        held_out = {}
        if (run / PRUNED_FILE).is_file():
            pruned = json.loads((run / PRUNED_FILE).read_text())
            held_out, state = {"mAP": pruned["mAP"]}, f"pruned at epoch {pruned['epoch']}"
    return SweepRow(
        name=str(trial.number),
        settings=trial.params,
        state=state,
        held_out=together([held_out]),
        test=together([test]),
        folders=(str(run),),
        whole=trial.state == TrialState.COMPLETE,
    )


def _state(trial: FrozenTrial) -> str:
    if trial.state != TrialState.FAIL:
        return {
            TrialState.COMPLETE: "finished",
            TrialState.PRUNED: "pruned",
            TrialState.RUNNING: "running, or interrupted",
            TrialState.WAITING: "waits to be tried again",
        }[trial.state]
    reason = trial.user_attrs.get(REASON, "")
    if reason in (KILLED, DIVERGED):
        return f"failed: {reason}"
    first = (reason.splitlines() or [""])[0].replace("|", "/")
    return f"failed: {first[:57]}..." if len(first) > 60 else f"failed: {first}"


def _importance(study: Study, settings: int) -> list[str]:
    whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if settings < 2 or len(whole) < ENOUGH:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is experimental; the sentence says which method it is
        shares = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    told = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    return [f"Importance (PED-ANOVA over {len(whole)} finished trials): {told}."]


def _best(study: Study, folder: Path, command: Sequence[str], select: str) -> list[str]:
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        return []
    best = study.best_trial
    run = folder / best.user_attrs.get(FOLDER, f"trial_{best.number}")
    again = train_command(command, best.params, select)
    return [
        f"Best: trial {best.number}. Its network on the test set: `python src/eval.py run={run}`.",
        f"Its settings on all training identities, evaluated on test: `{again}`.",
    ]


def train_command(command: Sequence[str], params: dict[str, Any], select: str) -> str:
    """Return the command that trains with the settings of a trial and evaluates on the test set.

    Args:
        command: The words of the search.
        params: The settings of the trial.
        select: The checkpoint that counts; ``best`` needs the held-out identities still.
    """
    changed = {name.rpartition("@")[0] or name for name in params}
    changed |= {"test"} if select == "best" else {"test", "data.held_out_identities"}
    words = [word for word in command if word.lstrip("+").split("=")[0] not in changed]
    words += [override(name, value) for name, value in params.items() if name != "data.held_out_identities"]
    words += [] if select == "best" else ["data.held_out_identities=0"]
    return " ".join(["python src/train.py", *(_quoted(word) for word in words)])


def _quoted(word: str) -> str:
    return f'"{word}"' if set(word) & set("[]{}()'* $") else word
