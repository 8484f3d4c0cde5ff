"""What a training writes down of its start: seeds, code and command."""

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

import vidreid
from vidreid.commands import config_dir
from vidreid.training.provenance import Provenance
from vidreid.training.run_folder import RunFolder

STEPS = "torch before each step: the first 8 bytes of BLAKE2b of 'seed epoch batch rank'"


def provenance(config: DictConfig, run: RunFolder) -> Provenance:
    """Return the callback that writes ``environment.json``.

    Args:
        config: The configuration of the training.
        run: Its folder.
    """
    seeds: dict[str, Any] = {
        "seed": config.seed,
        "data.seed": config.data.seed,
        "data.split_seed": config.data.split_seed,
        **({"data.split": config.data.split} if "split" in config.data else {}),
        "steps": STEPS,
    }
    hydra = HydraConfig.get() if HydraConfig.initialized() else None
    sweep_job = list(hydra.overrides.task) if hydra is not None and hydra.mode == RunMode.MULTIRUN else None
    package = Path(vidreid.__file__).parent
    return Provenance(run, seeds, [package, Path(config_dir())], sweep_job)
