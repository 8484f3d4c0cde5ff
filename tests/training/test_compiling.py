"""A training whose network is compiled, by backends that take seconds."""

import copy
import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from torch._dynamo.utils import counters

from support.runs import NARROW, SMALL, compose_training
from vidreid.commands.train import train
from vidreid.models.pcb import PCB
from vidreid.models.visual_network import VisualNetwork
from vidreid.training.checkpoint import read_checkpoint
from vidreid.training.compiling import compile_training_pass

RUN = (
    "experiment=pcb_synthetic",
    *SMALL,
    *NARROW,
    "data.test_sampling=dense",
    "data.test_batch_size=7",
    "trainer.max_epochs=2",
    "trainer.limit_train_batches=3",
    "callbacks.pictures=null",
)


def trained(root: Path, run: Path, *overrides: str) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Return the metrics, the checkpoint and the number of graphs that were compiled."""
    torch.compiler.reset()
    counters.clear()
    metrics = train(compose_training(root, run, *RUN, *overrides))
    return metrics, read_checkpoint(run / "checkpoints" / "last.ckpt"), counters["stats"]["unique_graphs"]


@pytest.fixture(scope="module")
def plain(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    run = tmp_path_factory.mktemp("plain")
    return run, trained(tiny_root, run)


@pytest.mark.parametrize("micro_batch", ["null", "3"])
def test_a_compiled_training(
    micro_batch: str, plain: tuple[Path, Any], tiny_root: Path, tmp_path: Path
) -> None:
    """The same bits under the backend that runs the traced graph as it is; only the training pass is one."""
    folder, (metrics, checkpoint, none) = plain
    assert none == 0
    if micro_batch != "null":
        metrics, checkpoint, _ = trained(tiny_root, tmp_path / "plain", f"micro_batch={micro_batch}")
        folder = tmp_path / "plain"
    settings = ("compile=eager", f"micro_batch={micro_batch}")
    got, compiled, graphs = trained(tiny_root, tmp_path / "run", *settings)
    assert graphs == 1, "batches of one size, and evaluation batches of whatever size do not count"
    assert compiled["state_dict"].keys() == checkpoint["state_dict"].keys()
    assert not [key for key in compiled["state_dict"] if "_orig_mod" in key]
    for key, value in checkpoint["state_dict"].items():
        torch.testing.assert_close(compiled["state_dict"][key], value, msg=key)
    assert got["mAP"] == pytest.approx(metrics["mAP"], abs=1e-6)
    logs = [list(csv.DictReader((run / "csv" / "metrics.csv").open())) for run in (folder, tmp_path / "run")]
    for name in ("train/loss", "train/identity", "train/identity/stripe_1"):
        columns = [[float(row[name]) for row in log if row.get(name)] for log in logs]
        assert len(columns[0]) >= 2 or name == "train/loss"
        assert columns[1] == pytest.approx(columns[0], rel=1e-5), name


def test_a_compiled_network_is_copied_and_exported_as_any_other() -> None:
    network = VisualNetwork(PCB(3, "resnet10t", channels=(8, 16, 24, 32), reduced=16))
    keys = network.state_dict().keys()
    compile_training_pass(network, "aot_eager")
    assert network.state_dict().keys() == keys
    images = torch.randn(2, 2, 3, 64, 32)
    exported = network.exported()
    with torch.no_grad():
        expected = network.eval().describe(images)
        assert torch.equal(exported.describe(images), expected)
        assert torch.equal(copy.deepcopy(network).describe(images), expected)


def test_describing_compiles_nothing() -> None:
    torch.compiler.reset()
    counters.clear()
    network = VisualNetwork(PCB(3, "resnet10t", channels=(8, 16, 24, 32), reduced=16)).eval()
    compile_training_pass(network, "eager")
    with torch.no_grad():
        for clips in (4, 3, 2):
            network.describe(torch.randn(clips, 2, 3, 64, 32))
    assert counters["stats"]["unique_graphs"] == 0
    network.train()(torch.randn(2, 2, 3, 64, 32))
    assert counters["stats"]["unique_graphs"] == 1


def test_an_unknown_backend_gets_a_sentence() -> None:
    network = VisualNetwork(PCB(3, "resnet10t", channels=(8, 16, 24, 32), reduced=16))
    with pytest.raises(
        ValueError, match=r"compile=fast is unknown: choose false, true, or a backend such as"
    ):
        compile_training_pass(network, "fast")
