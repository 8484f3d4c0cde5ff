"""The selected checkpoint on held-out training identities: what may be compared and chosen by."""

import math
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from vidreid.commands.building import evaluating_trainer
from vidreid.commands.evaluation import training_facts
from vidreid.data.datamodule import ReidDataModule
from vidreid.training.checkpoint import load_network, method_name
from vidreid.training.module import ReidModule
from vidreid.training.run_folder import RunFolder


def held_out_scores(
    config: DictConfig, run: RunFolder, module: ReidModule, data: ReidDataModule
) -> dict[str, Any]:
    """Return ``held_out`` for ``metrics.json``: rank-1, mAP and the epoch of the selected checkpoint.

    Args:
        config: The configuration of the run.
        run: Its folder.
        module: Its network is filled from the checkpoint.
        data: Where the held-out tracklets come from; without any, nothing is returned.
    """
    if not data.held_out_identities:
        return {}
    meta = load_network(module.network, run.checkpoint(config.select))
    evaluating_trainer(config, run).validate(module, datamodule=data, verbose=False)
    assert module.evaluation is not None
    scalars = module.evaluation.scalars
    scores = {name: None if math.isnan(scalars[name]) else scalars[name] for name in ("rank1", "mAP")}
    return {"held_out": {**scores, "epoch": meta["epochs"]}}


def without_test(
    config: DictConfig, run: RunFolder, module: ReidModule, data: ReidDataModule
) -> dict[str, Any]:
    """Return what ``metrics.json`` says of a run that does not look at the test set (``test=false``)."""
    checkpoint = run.checkpoint(config.select)
    meta = load_network(module.network, checkpoint)
    return {
        "name": config.name,
        "method": method_name(module.network),
        "test": "not evaluated: test=false",
        **training_facts(config, run, data, checkpoint, meta["epochs"]),
        "versions": meta["versions"],
    }


def print_held_out(metrics: dict[str, Any], file: Path) -> None:
    """Print the numbers of a run on held-out identities, if it has any."""
    scores = metrics.get("held_out")
    if scores is not None:
        told = {name: scores[name] for name in ("rank1", "mAP")}
        numbers = "  ".join(f"{k} {'none' if v is None else f'{100 * v:.2f}'}" for k, v in told.items())
        print(f"held-out identities, after {scores['epoch']} epochs:  {numbers}  ->  {file}")
