"""Searches without trainings: a launcher that calls a function for every trial."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from vidreid.commands import config_dir
from vidreid.commands.sweeps.journal import open_study
from vidreid.commands.sweeps.optuna_search import search
from vidreid.commands.sweeps.trial import run_trial

Train = Callable[[DictConfig], dict[str, Any]]

WORDS = ("hparams_search=optuna", "data.held_out_identities=2", "trainer.max_epochs=10")


class CallingLauncher:
    """Runs the jobs of a search one after the other, in this process."""

    def __init__(self, config: DictConfig, train: Train) -> None:
        self.config = config
        self.train = train
        self.batches: list[int] = []

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[Any]:
        self.batches.append(len(job_overrides))
        for words in job_overrides:
            job = GlobalHydra.instance().config_loader().load_sweep_config(self.config, list(words))
            HydraConfig.instance().set_config(job)
            own = OmegaConf.masked_copy(job, [key for key in job if key != "hydra"])
            run_trial(own, self.train)
        return []


@contextmanager
def _composed(words: Sequence[str]) -> Iterator[DictConfig]:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        yield hydra.compose_config("train", ["hydra.mode=MULTIRUN", *words], run_mode=RunMode.MULTIRUN)


def run_search(folder: Path, train: Train, *words: str, trials: int = 3) -> CallingLauncher:
    """Search in a folder as the command does; errors are raised, not printed."""
    arguments = [*WORDS, f"hparams_search.dir={folder}", f"hparams_search.trials={trials}", *words]
    with _composed(arguments) as config:
        launcher = CallingLauncher(config, train)
        loader = GlobalHydra.instance().config_loader()
        search.__wrapped__(config, arguments, launcher, loader)  # type: ignore[attr-defined]
    return launcher


def trials_of(folder: Path) -> list[optuna.trial.FrozenTrial]:
    return open_study(folder).get_trials()


def scored(value: float) -> dict[str, Any]:
    """What ``train`` returns for a run with such a held-out mAP."""
    return {"held_out": {"rank1": value, "mAP": value, "epoch": 1}}
