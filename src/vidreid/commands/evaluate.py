"""``eval``: evaluate a run again, as it was or under other settings."""

from typing import Any

import hydra
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict

from vidreid.commands import config_dir
from vidreid.commands.building import build_module, evaluating_trainer, without_initial_weights
from vidreid.commands.data_fit import check_data_fit
from vidreid.commands.evaluation import TABLE, describe_with, evaluate, evaluation_file, print_metrics
from vidreid.commands.launching.everywhere import everywhere
from vidreid.commands.launching.place import Place, only_the_first_speaks
from vidreid.commands.other_benchmark import use_benchmark
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.quiet import quiet
from vidreid.commands.replaced_settings import replace_settings
from vidreid.commands.reranked import print_reranked, reranked_metrics, settings_for_the_name
from vidreid.data.datamodule import ReidDataModule
from vidreid.training.run_folder import RunFolder

# Settings under which the numbers stay the same.
_OF_NO_WEIGHT = {
    "data.root", "data.workers", "data.pack", "data.pack_folder",
    "trainer.accelerator", "trainer.devices", "trainer.strategy",
}  # fmt: skip


def evaluate_run(config: DictConfig) -> dict[str, Any]:
    """Evaluate a run folder.

    Args:
        config: The composed configuration of ``conf/eval.yaml``: the run, the checkpoint, and settings that
            replace those of the run where they are not null.

    Returns:
        The numbers, as in the run's ``metrics.json``. Under the run's own settings they are compared with
        that file; under others, and re-ranked, they are written beside it, under a name that says which.

    Raises:
        FileNotFoundError: If the run or its checkpoint does not exist.
        ValueError: If the numbers cannot be computed under the settings.
    """
    return everywhere(_evaluate, config, _stored(config).trainer)


def _stored(config: DictConfig) -> DictConfig:
    """Return the configuration of the run, whose trainer has the processes that the evaluation asks for."""
    stored = OmegaConf.create(RunFolder.existing(config.run).read_config())
    assert isinstance(stored, DictConfig)
    stored.trainer.num_nodes = Place.here().machines
    if config.trainer.devices is None:  # however many trained it: one is enough, and the numbers are the same
        stored.trainer.update({"devices": Place.here().on_machine, "strategy": "auto"})
    for key in ("accelerator", "devices", "strategy"):
        if config.trainer[key] is not None:
            stored.trainer[key] = config.trainer[key]
    return stored


def _evaluate(config: DictConfig) -> dict[str, Any]:
    """Evaluate on this process, one of those that are asked for."""
    run, stored = RunFolder(config.run), _stored(config)
    if config.benchmark is not None:
        use_benchmark(stored.data, config.benchmark, config.data.root)
    changed = _replace(stored, config)
    which = config.checkpoint or stored.select
    reranking = instantiate(config.rerank)  # what cannot be is refused before the long part
    data: ReidDataModule = instantiate(stored.data)
    for notice in data.notices:
        print(f"note: {notice}")
    module = build_module(without_initial_weights(stored))
    if config.descriptor is not None:
        describe_with(module.network, config.descriptor)
    if config.benchmark is not None:
        check_data_fit(module.network, data)
    if config.cameras not in (None, "known", "unknown"):
        raise ValueError(f"There is no cameras={config.cameras}: choose known or unknown.")
    # Cameras of another benchmark have the numbers of this one's by chance.
    module.test_cameras = config.cameras or ("known" if config.benchmark is None else "unknown")
    with quiet():
        trainer = evaluating_trainer(stored, run)
        metrics = evaluate(stored, run, trainer, module, data, run.checkpoint(which))
    if reranking is not None:
        metrics = reranked_metrics(reranking, config.rerank, metrics, module, data)
        changed = [*changed, *settings_for_the_name(config.rerank, reranking.method)]
        if trainer.is_global_zero:
            file = run.write_metrics(metrics, evaluation_file(changed, which, stored.select))
            print_reranked(metrics, file)
        return metrics
    if not trainer.is_global_zero:
        return metrics
    name = evaluation_file(changed, which, stored.select)
    print_metrics(metrics, run.write_metrics(metrics, name))
    if name == "eval.json" and run.metrics_file.is_file():
        before = run.read_metrics()
        if TABLE[0] in before:  # a run with test=false has measured nothing to compare with
            _compare(metrics, before)
    return metrics


def _replace(stored: DictConfig, config: DictConfig) -> list[str]:
    """Put the given settings over those of the run and return ``key-value`` of what is new."""
    changed = [] if config.benchmark is None else [f"benchmark-{config.benchmark}"]
    with open_dict(stored):
        stored.setdefault("report", {})  # runs of earlier versions have none
    replace_settings(stored.report, config.report)  # the numbers stay the same
    for group in ("data", "metric", "trainer"):
        for key, value in replace_settings(stored[group], config[group]).items():
            if f"{group}.{key}" not in _OF_NO_WEIGHT:
                changed.append(f"{key}-{value}")
    if config.cameras not in (None, "known"):
        changed.append(f"cameras-{config.cameras}")
    if config.descriptor not in (None, "visual"):
        stored.data.test_keypoints = True
        changed.append(f"descriptor-{config.descriptor}")
    return changed


def _compare(metrics: dict[str, Any], before: dict[str, Any]) -> None:
    different = [name for name in TABLE if metrics[name] != before[name]]
    if different:
        print(f"note: these differ from the run's metrics.json: {', '.join(different)}")
    else:
        print("the same numbers as in the run's metrics.json")


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="eval")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    evaluate_run(config)


def main() -> None:
    """Run the command."""
    with only_the_first_speaks():
        _hydra_main()
