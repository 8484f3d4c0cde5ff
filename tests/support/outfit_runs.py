"""From a benchmark of outfits to numbers: trained for a step and evaluated, or with descriptors by hand."""

from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from support.runs import NARROW, SMALL, compose_training
from vidreid.commands import config_dir
from vidreid.commands.evaluate import evaluate_run
from vidreid.commands.evaluation import protocol_options
from vidreid.commands.train import train
from vidreid.metrics.reid import ReidMetric


def scores_of_places(root: Path, data: str, protocol: str, places: list[float]) -> dict[str, float]:
    """Evaluate test tracklets that lie on a line, by the settings that a run would have.

    Args:
        root: Of the tree.
        data: Which benchmark.
        protocol: Its protocol.
        places: Of each test tracklet.
    """
    config = compose_training(root, root, f"data={data}", *SMALL, "data.height=32", "data.width=16",
                              f"data.protocol={protocol}")  # fmt: skip
    module = instantiate(config.data)
    metric = ReidMetric(module.test_clips, **protocol_options(config.data))
    for batch in module.test_dataloader():
        features = torch.tensor(places)[batch.tracklets][:, None]
        facts = batch.clips, batch.tracklets, batch.pids, batch.cameras, batch.roles
        metric.update(features, *facts, outfits=batch.outfits)
    return {name: value.item() for name, value in metric.compute().items()}


def trained(root: Path, data: str, run: Path) -> Path:
    """Train a narrow PCB for a step and return its run folder."""
    train(
        compose_training(
            root, run, f"experiment=pcb_{data}", "debug=fast", *SMALL, *NARROW,
            "model.visual.pretrained=false", "data.height=32", "data.width=16", "data.held_out_identities=2",
            "trainer.limit_test_batches=1.0",
        )
    )  # fmt: skip
    return run


def evaluated(run: Path, protocol: str) -> dict[str, Any]:
    """Evaluate a run folder under another protocol and return its numbers."""
    with initialize_config_dir(config_dir(), version_base="1.3"):
        config = compose("eval", [f"run={run}", f"data.protocol={protocol}"])
    return evaluate_run(config)
