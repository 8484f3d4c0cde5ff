"""Hydra's door to the search with Optuna; what it does stands in ``vidreid.commands.sweeps``.

Hydra takes a sweeper from below ``hydra_plugins`` only, and imports this at every start of every command: so
Optuna is imported when a search runs.
"""

from collections.abc import Mapping
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class OptunaSweeper(Sweeper):
    """Searches settings: ``train.py -m hparams_search=optuna``.

    Args:
        params: What a study sets for grids; refused.
    """

    def __init__(self, params: Mapping[str, str] | None = None) -> None:
        self.params = params

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra hands over, and make the launcher."""
        self.hydra_context = hydra_context
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Search until the wanted number of trials is finished."""
        from vidreid.commands.sweeps.optuna_search import search

        assert self.config is not None
        assert self.hydra_context is not None
        assert self.launcher is not None
        return search(self.config, arguments, self.launcher, self.hydra_context.config_loader, self.params)
