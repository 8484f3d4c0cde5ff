"""Evaluating one checkpoint: the numbers of a run's ``metrics.json``."""

import math
from pathlib import Path
from typing import Any

import lightning as L
from omegaconf import DictConfig

from vidreid.data.datamodule import ReidDataModule
from vidreid.training.checkpoint import load_network, method_name, versions
from vidreid.training.module import ReidModule
from vidreid.training.run_folder import RunFolder

TABLE = ("rank1", "rank5", "rank10", "rank20", "mAP", "mINP")


def evaluate(
    config: DictConfig,
    run: RunFolder,
    trainer: L.Trainer,
    module: ReidModule,
    data: ReidDataModule,
    checkpoint: Path,
) -> dict[str, Any]:
    """Load a checkpoint, describe the test tracklets and rank them.

    Args:
        config: The configuration of the run.
        run: Its folder.
        trainer: Runs the test loop.
        module: Its network is filled from the checkpoint.
        data: Where the test tracklets come from.
        checkpoint: The checkpoint file.

    Returns:
        Plain values for ``metrics.json``.
    """
    meta = load_network(module.network, checkpoint)
    trainer.test(module, datamodule=data, verbose=False)
    assert module.evaluation is not None
    scalars, ranking = module.evaluation
    return {
        "name": config.name,
        "method": method_name(module.network),
        "protocol": data.protocol,
        "average_precision": config.metric.average_precision,
        **{name: _number(scalars[name]) for name in TABLE},
        "queries_counted": ranking.queries_counted,
        "queries_dropped": ranking.queries_dropped,
        "gallery": int(scalars["gallery"]),
        "cmc": [_number(float(value)) for value in ranking.cmc],
        "checkpoint": str(checkpoint.relative_to(run.path))
        if checkpoint.is_relative_to(run.path)
        else str(checkpoint),
        "epochs": meta["epochs"],
        "selection": config.select,
        "seed": config.seed,
        "data": {
            "name": data.benchmark.name,
            "root": str(config.data.root),
            "train_identities": data.num_identities,
            "train_tracklets": len(data.train_table),
            "test_tracklets": len(data.benchmark.test),
        },
        "parameters": {
            "training": sum(p.numel() for p in module.network.parameters()),
            "visual": sum(p.numel() for p in module.network.visual.parameters()),
        },
        "versions": meta["versions"]
        if meta["versions"] == versions()
        else {"trained": meta["versions"], "evaluated": versions()},
    }


def print_metrics(metrics: dict[str, Any], file: Path) -> None:
    """Print one line of numbers and where they are kept."""
    numbers = "  ".join(
        f"{name} {'none' if metrics[name] is None else f'{100 * metrics[name]:.2f}'}" for name in TABLE
    )
    print(f"{metrics['method']} after {metrics['epochs']} epochs, protocol {metrics['protocol']}:  {numbers}")
    print(
        f"{metrics['queries_counted']} queries counted, {metrics['queries_dropped']} dropped (no answer in "
        f"the gallery), {metrics['gallery']} gallery tracklets  ->  {file}"
    )


def _number(value: float) -> float | None:
    """Return a number for JSON, which knows no NaN: ``None`` where no query was answered."""
    return None if math.isnan(value) else value
