"""The folder of a search: Optuna's journal, which survives kill -9, and the settings it was begun with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import optuna
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from vidreid.commands.same_settings import different_settings
from vidreid.files import write_whole

JOURNAL = "journal.log"
SETTINGS = "search.yaml"
LOCK = ".search_lock"
STUDY = "search"

# Attributes of a trial in the journal.
FOLDER = "folder"  # the name of its run folder
AGAIN = "again"  # the number of the killed trial whose parameters it has, and whose folder it goes on in
REASON = "reason"  # why it failed: one of the three words below, or a sentence
KILLED, DIVERGED = "killed", "diverged"


def open_study(folder: Path, pruner: optuna.pruners.BasePruner | None = None) -> Study:
    """Open the study of a search that has been begun, from any process."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.load_study(study_name=STUDY, storage=_storage(folder), pruner=pruner)


def begin_study(
    folder: Path, direction: Literal["minimize", "maximize"], pruner: optuna.pruners.BasePruner | None
) -> Study:
    """Open the study of a search, or begin it. Only one process may do so at a time."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _mend(folder / JOURNAL)
    return optuna.create_study(
        study_name=STUDY,
        storage=_storage(folder),
        direction=direction,
        pruner=pruner,
        load_if_exists=True,
    )


def trial_of(study: Study, number: int) -> Trial:
    """Return a trial of a study, to report to and to mark."""
    return Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)


def fail(study: Study, number: int, reason: str) -> None:
    """Mark a trial that is running as failed."""
    trial_of(study, number).set_user_attr(REASON, reason)
    study.tell(number, state=TrialState.FAIL)


def is_done(trial: FrozenTrial) -> bool:
    """Whether a trial counts among those that were wanted: finished, pruned or diverged."""
    if trial.state == TrialState.FAIL:
        return trial.user_attrs.get(REASON) == DIVERGED
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED)


def check_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write down what a search is about, or refuse if it was begun otherwise.

    Args:
        folder: Of the search.
        settings: ``space``, ``direction``, the settings that trials share, and the ``command`` words of the
            first call, which are not compared.

    Raises:
        ValueError: If the search in the folder has another space or other settings.
    """
    file = folder / SETTINGS
    if not file.is_file():
        with write_whole(file) as temporary:
            temporary.write_text(yaml.safe_dump(dict(settings), sort_keys=False))
        return
    before = read_settings(folder)
    different = [
        line
        for part in ("direction", "space", "settings")
        for line in different_settings({part: before[part]}, {part: settings[part]})
    ]
    if different:
        more = f", and {len(different) - 1} more" if len(different) > 1 else ""
        raise ValueError(
            f"The search in {folder} was begun with others ({different[0]}{more}), and numbers of both do "
            "not compare: give this one a name of its own by hparams_search.name=NAME."
        )


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what ``check_settings`` has written."""
    return yaml.safe_load((folder / SETTINGS).read_text())


def _storage(folder: Path) -> JournalStorage:
    file = str((folder / JOURNAL).absolute())
    # The other kind of lock is a link to the file, which dangles once the folder has been moved.
    return JournalStorage(JournalFileBackend(file, lock_obj=JournalFileOpenLock(file)))


def _mend(journal: Path) -> None:
    """Cut off a last line that was not written whole: what is appended to it would be lost as well."""
    if not journal.is_file():
        return
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with journal.open("rb+") as file:
            file.truncate(whole)
