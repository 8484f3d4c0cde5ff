"""The test tracklets of a run's benchmark, described once for all protocols."""

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict

from vidreid.commands.building import (
    ONE_PROCESS,
    build_module,
    evaluating_trainer,
    without_initial_weights,
)
from vidreid.commands.data_fit import check_data_fit
from vidreid.commands.protocols.scores import Described
from vidreid.commands.quiet import quiet
from vidreid.commands.replaced_settings import replace_settings
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.protocols import union_of
from vidreid.training.checkpoint import load_network, method_name
from vidreid.training.run_folder import RunFolder


def describe_run(config: DictConfig) -> Described:
    """Describe every test tracklet that some protocol uses with the network of a run.

    Args:
        config: The composed configuration of ``conf/protocols.yaml`` with a run.

    Raises:
        FileNotFoundError: If the run or its checkpoint does not exist.
    """
    run = RunFolder.existing(config.run)
    stored = OmegaConf.create(run.read_config())
    assert isinstance(stored, DictConfig)
    for group in ("data", "metric", "trainer"):
        replace_settings(stored[group], config[group])
    with open_dict(stored):
        stored.data.query = "tracklet"  # the protocols say who asks, by whole tracklets
    data: ReidDataModule = instantiate(stored.data)
    protocols = dict(data.benchmark.protocols)
    everybody = union_of(protocols)
    data.benchmark.protocols[everybody.name] = everybody
    data.protocol = everybody.name
    module = build_module(without_initial_weights(stored))
    check_data_fit(module.network, data)
    which = config.checkpoint or stored.select
    load_network(module.network, run.checkpoint(which))
    with quiet():
        trainer = evaluating_trainer(stored, run, **ONE_PROCESS, limit_test_batches=1.0)
        trainer.test(module, datamodule=data, verbose=False)
    assert module.metric is not None
    return Described(
        descriptors=module.metric.descriptors(),
        table=data.benchmark.test,
        protocols=protocols,
        frames_per_clip=data.test_clip_length,
        told=f"{method_name(module.network)} of {run.path} ({which}) on {data.benchmark.name}, "
        f"test_sampling={data.evaluation.sampling}, {data.test_clip_length} frames a clip",
        distance=stored.metric.distance,
    )
