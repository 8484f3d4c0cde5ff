"""Evaluating one checkpoint: the numbers of a run's ``metrics.json``."""

import math
from pathlib import Path
from typing import Any, cast, get_args

import lightning as L
import numpy as np
from hydra.utils import get_class
from omegaconf import DictConfig
from torch import Tensor

from vidreid.commands.report import ReportSettings, interval_line, report
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.mars_format import JUNK_PID
from vidreid.data.protocols import find_protocol
from vidreid.data.split_datamodule import SplitDataModule
from vidreid.data.tracklets import column
from vidreid.metrics.ranking import RankingResult
from vidreid.models.kmpnet import KMPNet
from vidreid.models.kmpnet.network import Descriptor
from vidreid.models.network import ReidNetwork
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
    reported: bool = True,
) -> dict[str, Any]:
    """Load a checkpoint, describe the test tracklets and rank them.

    Every process of a distributed evaluation must call it.

    Args:
        config: The configuration of the run.
        run: Its folder.
        trainer: Runs the test loop.
        module: Its network is filled from the checkpoint.
        data: Where the test tracklets come from.
        checkpoint: The checkpoint file.
        reported: Whether the scores are all that is wanted, or intervals, thresholds and pairs of cameras
            too. The process that writes reckons these, and only its answer holds them.

    Returns:
        Plain values for ``metrics.json``; ``warning`` is there only under a protocol that is wrong.

    Raises:
        ValueError: If the settings ``report`` make none.
    """
    settings = ReportSettings.of(config)
    meta = load_network(module.network, checkpoint)
    trainer.test(module, datamodule=data, verbose=False)
    assert module.evaluation is not None
    assert module.metric is not None
    scalars, ranking, queries = module.evaluation
    descriptors = module.metric.descriptors()
    facts = training_facts(config, run, data, checkpoint, meta["epochs"])
    facts["data"]["test_tracklets"] = len(data.benchmark.test)
    if isinstance(data, SplitDataModule):
        facts["data"]["split"] = data.split
    warning = find_protocol(data.protocol, data.benchmark.protocols).warning
    return {
        "name": config.name,
        "method": method_name(module.network),
        "protocol": data.protocol,
        "query": data.query,
        **({} if warning is None else {"warning": warning}),
        "descriptor": getattr(module.network, "descriptor", "visual"),
        "pooling": module.metric.pooling,
        "normalize": module.metric.normalize,
        "distance": module.metric.distance,
        "average_precision": config.metric.average_precision,
        **{name: _number(scalars[name]) for name in TABLE},
        "queries_counted": ranking.queries_counted,
        "queries_dropped": ranking.queries_dropped,
        "gallery": int(scalars["gallery"]),
        **subset_scores(data, ranking, queries),
        "cmc": [_number(float(value)) for value in ranking.cmc],
        **facts,
        "parameters": {
            "training": sum(p.numel() for p in module.network.parameters()),
            "describing": module.network.describing_parameters(),
        },
        "versions": meta["versions"]
        if meta["versions"] == versions()
        else {"trained": meta["versions"], "evaluated": versions()},
        **(
            report(module.metric, descriptors, ranking, settings, data.benchmark.camera_names)
            if reported and trainer.is_global_zero
            else {}
        ),
    }


def training_facts(
    config: DictConfig, run: RunFolder, data: ReidDataModule, checkpoint: Path, epochs: int | None
) -> dict[str, Any]:
    """Return what ``metrics.json`` says of the training behind its numbers.

    Args:
        config: The configuration of the run.
        run: Its folder.
        data: What was trained on.
        checkpoint: The checkpoint file.
        epochs: How long it was trained.
    """
    inside = checkpoint.is_relative_to(run.path)
    return {
        "checkpoint": str(checkpoint.relative_to(run.path) if inside else checkpoint),
        "epochs": epochs,
        "selection": config.select,
        "seed": config.seed,
        "data": {
            "name": data.benchmark.name,
            "root": str(config.data.root),
            "train_identities": data.num_identities,
            "train_tracklets": len(data.train_table),
        },
    }


def protocol_options(data: DictConfig) -> dict[str, Any]:
    """Return the arguments of the test metric that belong to the protocol.

    Args:
        data: The configuration of the data.

    Raises:
        ValueError: If there is no such protocol.
    """
    protocol = find_protocol(data.protocol, get_class(data._target_).protocols)
    return {
        "junk_pid": JUNK_PID if protocol.junk == "ignored" else None,
        "cameras": protocol.cameras,
        "answers": protocol.answers,
        "frames_per_clip": data.test_clip_length or data.clip_length,
    }


def subset_scores(data: ReidDataModule, ranking: RankingResult, queries: Tensor) -> dict[str, Any]:
    """Return the scores of each named kind of queries against the whole gallery, under ``subsets``.

    Args:
        data: Its benchmark names the kinds.
        ranking: The ranking of all queries.
        queries: ``(Q,)`` tracklet numbers of the queries, in its order.
    """
    found = {}
    for name, member in data.benchmark.subsets.items():
        own = np.isin(queries.numpy(), column(data.benchmark.test, "tracklet")[member])
        answered = own & ~ranking.average_precisions.isnan().numpy()
        ap, first = (t.numpy()[answered] for t in (ranking.average_precisions, ranking.first_ranks))
        found[name] = {
            "rank1": float((first == 1).mean()) if len(ap) else None,
            "mAP": float(ap.mean()) if len(ap) else None,
            "queries": int(own.sum()),
        }
    return {"subsets": found} if found else {}


def describe_with(network: ReidNetwork, descriptor: str) -> None:
    """Let a network describe by another of its embeddings (paper, Table 4).

    Args:
        network: A KMPNet, unless the descriptor is ``visual``, which every network has.
        descriptor: ``visual``, ``graph`` or ``joined``.

    Raises:
        ValueError: If the network has no such descriptor.
    """
    if descriptor not in get_args(Descriptor):
        raise ValueError(f"There is no descriptor {descriptor!r}: choose one of visual, graph, joined.")
    if isinstance(network, KMPNet):
        network.descriptor = cast(Descriptor, descriptor)
    elif descriptor != "visual":
        raise ValueError(
            f"{method_name(network)} has no graph and no descriptor {descriptor!r}: leave descriptor out, or "
            "evaluate a KMPNet."
        )


def evaluation_file(changed: list[str], checkpoint: str, selected: str) -> str:
    """Return the name of the file of a later evaluation: what differs from the run's own stands in it.

    Args:
        changed: ``key-value`` of the settings that differ.
        checkpoint: Which checkpoint was evaluated.
        selected: Which one the run selects.
    """
    if not changed and checkpoint == selected:
        return "eval.json"
    return ("eval_" + "_".join([*changed, checkpoint]) + ".json").replace("/", "-")


def print_metrics(metrics: dict[str, Any], file: Path) -> None:
    """Print the numbers, how sure they are, where they are kept, and a warning if they are wrong."""
    numbers = "  ".join(
        f"{name} {'none' if metrics[name] is None else f'{100 * metrics[name]:.2f}'}" for name in TABLE
    )
    by = "" if metrics["descriptor"] == "visual" else f", {metrics['descriptor']} descriptor"
    epochs = "" if metrics["epochs"] is None else f" after {metrics['epochs']} epochs"
    asked = "" if metrics["query"] == "tracklet" else ", image queries"
    print(f"{metrics['method']}{epochs}, protocol {metrics['protocol']}{asked}{by}:  {numbers}")
    if metrics.get("intervals") is not None:
        print(interval_line(metrics["intervals"]))
    print(
        f"{metrics['queries_counted']} queries counted, {metrics['queries_dropped']} dropped (no answer in "
        f"the gallery), {metrics['gallery']} gallery tracklets  ->  {file}"
    )
    if "warning" in metrics:
        print(f"warning: {metrics['warning']}")


def _number(value: float) -> float | None:
    """Return a number for JSON, which knows no NaN: ``None`` where no query was answered."""
    return None if math.isnan(value) else value
