"""The search itself: draw settings, let the launcher train them, until enough trials are finished.

Trials tell the journal themselves how they ended (:mod:`vidreid.commands.sweeps.trial`), so the search reads
everything from there and may be killed at any time. What is drawn is a function of the seed and of the trials
before, so that a search that was killed draws what an undisturbed one draws.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.plugins.launcher import Launcher
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from vidreid.commands.launching.place import Place
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.same_settings import OF_NO_WEIGHT
from vidreid.commands.sweeps.journal import (
    AGAIN,
    FOLDER,
    KILLED,
    LOCK,
    REASON,
    begin_study,
    check_settings,
    fail,
    is_done,
)
from vidreid.commands.sweeps.process_lock import hold
from vidreid.commands.sweeps.space import Space, example, override, read_space, split_overrides, told

ERRORS_IN_A_ROW = 3
"""So many trials in a row that end in an error, not in a number, end the search: it is not their settings."""


@plain_errors
def search(
    config: DictConfig,
    arguments: list[str],
    launcher: Launcher,
    loader: ConfigLoader,
    params: Mapping[str, str] | None = None,
) -> float | None:
    """Search until ``hparams_search.trials`` trials are finished, pruned or diverged.

    Args:
        config: The configuration that Hydra composed, with its own part.
        arguments: The words of the command line, without those of Hydra.
        launcher: Runs jobs.
        loader: Composes the configuration of a job.
        params: What a study sets; refused.

    Returns:
        The best value, or ``None`` if no trial has one.

    Raises:
        ValueError: If the settings make no search, or another one lies in the folder or runs there.
    """
    words = OverridesParser.create(config_loader=loader).parse_overrides(arguments)
    fixed, searched = split_overrides(words)
    base = loader.load_sweep_config(config, list(fixed.values()))
    HydraConfig.instance().set_config(base)
    plan = base.hparams_search
    space = _space(plan.space, fixed, searched)
    _check(base, space, params)
    trial_zero = [override(name, example(distribution)) for name, distribution in space.items()]
    loader.load_sweep_config(config, [*fixed.values(), *trial_zero])  # Hydra names a setting that is none
    folder = Path(plan.dir).absolute()
    with hold(
        folder / LOCK, f"Another search (process {{process}}) runs in {folder}: wait for it or end it."
    ):
        check_settings(folder, _written(base, fixed, space))
        study = begin_study(folder, plan.direction, instantiate(plan.pruner))
        _take_up(study, folder)
        _go_on(study, folder, plan, space, list(fixed.values()), launcher)
        return _say_best(study, folder)


def _space(tree: DictConfig, fixed: Mapping[str, str], searched: Space) -> Space:
    """Return what is searched: the configuration's space, changed by the words of the command line."""
    space = {**read_space(OmegaConf.to_container(tree, resolve=True)), **searched}  # pyright: ignore[reportArgumentType]
    for name in sorted(space.keys() & fixed.keys()):
        print(f"note: {fixed[name]} is given, so {name} is not searched")
        del space[name]
    if not space:
        raise ValueError(
            "There is nothing to search: give hparams_search.space, or words such as optimizer.lr=1e-3,1e-4."
        )
    return space


def _check(base: DictConfig, space: Space, params: Mapping[str, str] | None) -> None:
    """Refuse what makes no search."""
    if Place.here().starter != "nobody":
        raise ValueError(
            "A search is started once, not once a process: start it without torchrun or srun, and give its "
            "trials their devices by trainer.devices."
        )
    if base.study is not None or params:
        raise ValueError("A study is a grid of its own: leave out study= or hparams_search=.")
    if base.resume is not None:
        raise ValueError("A search goes on by the command that it was begun with: leave out resume=.")
    if not base.data.held_out_identities and "data.held_out_identities" not in space:
        raise ValueError(
            "A search compares trials on training identities that are held out of training (comparing them "
            "on the test set would be cheating): set data.held_out_identities, for example to 0.2."
        )
    if base.test or "test" in space:
        raise ValueError(
            "A search does not look at the test set: leave out test=, and evaluate the best trial afterwards "
            "by src/eval.py run=FOLDER."
        )
    if Path(base.hydra.sweep.dir).absolute() != Path(base.hparams_search.dir).absolute():
        raise ValueError(
            "The folder of a search is hparams_search.dir: give that instead of hydra.sweep.dir."
        )
    if base.hparams_search.direction not in ("maximize", "minimize"):
        raise ValueError(
            f"There is no hparams_search.direction={base.hparams_search.direction}: maximize or minimize."
        )
    for key in ("trials", "at_once"):
        if base.hparams_search[key] < 1:
            raise ValueError(f"hparams_search.{key}={base.hparams_search[key]} must be at least 1.")


def _written(base: DictConfig, fixed: Mapping[str, str], space: Space) -> dict[str, Any]:
    """Return what the search is about, as plain values for its file of settings."""
    shared = [key for key in base if key not in (*OF_NO_WEIGHT, "hydra", "logger")]
    settings = {
        str(key): OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        for key, value in ((key, base[key]) for key in shared)
    }
    return {
        "command": [word for key, word in fixed.items() if not key.lstrip("+~").startswith("hparams_search")],
        "direction": base.hparams_search.direction,
        "space": {name: told(distribution) for name, distribution in space.items()},
        "settings": settings,
    }


def _take_up(study: Study, folder: Path) -> None:
    """Queue the settings of trials that were running when the search was killed; they keep their folders."""
    queued = {trial.user_attrs.get(AGAIN) for trial in study.get_trials(deepcopy=False)}
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        name = _folder(trial)
        busy = f"Trial {trial.number} of {folder} still trains (process {{process}}): wait for it or end it."
        with hold(folder / name / LOCK, busy):
            pass
        if trial.number not in queued:  # a kill between these lines neither loses nor doubles it
            drawn = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
            study.enqueue_trial(drawn, user_attrs={AGAIN: trial.number, FOLDER: name})
        fail(study, trial.number, KILLED)
        print(f"trial {trial.number} was interrupted: its settings are tried again, in {folder / name}")


def _go_on(
    study: Study, folder: Path, plan: DictConfig, space: Space, fixed: list[str], launcher: Launcher
) -> None:
    errors = 0
    while (wanted := plan.trials - sum(map(is_done, study.get_trials(deepcopy=False)))) > 0:
        batch = [_draw(study, plan, space) for _ in range(min(plan.at_once, wanted))]
        launcher.launch([[*fixed, *words] for _, words in batch], initial_job_idx=batch[0][0])
        for number, _ in batch:
            trial = study.get_trials(deepcopy=False)[number]
            if trial.state == TrialState.RUNNING:
                fail(study, number, "its process ended without a word")
                trial = study.get_trials(deepcopy=False)[number]
            errors = 0 if is_done(trial) else errors + 1
            if errors == ERRORS_IN_A_ROW:
                raise ValueError(
                    f"{errors} trials in a row ended in an error, the last one so: "
                    f"{trial.user_attrs.get(REASON)} Then call the search again."
                )


def _draw(study: Study, plan: DictConfig, space: Space) -> tuple[int, list[str]]:
    """Start a trial: one that waits in the queue, or a new one.

    Returns:
        Its number, and the words of the command line that are its own.
    """
    drawn = sum(AGAIN not in trial.user_attrs for trial in study.get_trials(deepcopy=False))
    seed = int(np.random.SeedSequence([plan.seed, drawn]).generate_state(1)[0])
    sampler = instantiate(plan.sampler)
    assert callable(sampler)
    drawer = sampler(seed=seed)
    assert isinstance(drawer, optuna.samplers.BaseSampler)
    study.sampler = drawer
    trial = study.ask(dict(space))
    name = trial.user_attrs.get(FOLDER) or f"trial_{trial.number}"
    trial.set_user_attr(FOLDER, name)
    own = {**trial.params, "hparams_search.trial": trial.number, "hparams_search.folder": name}
    print(f"trial {trial.number}: {' '.join(override(*pair) for pair in trial.params.items())}")
    return trial.number, [override(key, value) for key, value in own.items()]


def _folder(trial: FrozenTrial) -> str:
    return trial.user_attrs.get(FOLDER) or f"trial_{trial.number}"


def _say_best(study: Study, folder: Path) -> float | None:
    whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not whole:
        print(f"no trial came to its end: see {folder}")
        return None
    best = study.best_trial
    print(f"best: trial {best.number} with {best.value:.4f} in {folder / _folder(best)}, {best.params}")
    print(f"table: python src/collect.py folder={folder}")
    return best.value
