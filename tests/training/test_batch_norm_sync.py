"""Batch norms that share their statistics: what they are made from and what they become again.

The statistics themselves need a GPU; without one those tests are skipped.
"""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lightning as L
import pytest
import torch
import torch.distributed as dist
from timm.layers import BatchNormAct2d
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from models.key_reid.test_network import key_reid
from models.layers.test_bn_neck import kmpnet, mgh, pcb
from vidreid.models.layers.bn_neck import BNNeck, SyncBNNeck, bn_neck
from vidreid.models.visual_network import VisualNetwork
from vidreid.training.batch_norm_sync import BatchNormSync, check_batch_norm_sync


def visual() -> VisualNetwork:
    return VisualNetwork(pcb())


def norms(network: nn.Module) -> dict[str, type]:
    return {name: type(layer) for name, layer in network.named_modules() if isinstance(layer, _BatchNorm)}


@pytest.mark.parametrize("make", [visual, kmpnet, mgh, key_reid])
def test_every_batch_norm_of_a_network_is_converted_and_comes_back(make: Callable[[], nn.Module]) -> None:
    network, plugin = make(), BatchNormSync()
    kinds, names, parameters = norms(network), list(network.state_dict()), list(network.parameters())
    before = copy.deepcopy(network.state_dict())
    assert plugin.apply(network) is network
    converted = norms(network)
    assert converted == {n: SyncBNNeck if kind is BNNeck else nn.SyncBatchNorm for n, kind in kinds.items()}
    assert list(network.state_dict()) == names
    assert all(one is other for one, other in zip(network.parameters(), parameters, strict=True))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name

    with torch.no_grad():
        for name in kinds:
            layer = network.get_submodule(name)
            assert isinstance(layer, nn.SyncBatchNorm)
            layer.weight.fill_(3)
            # As after a move to another device: another tensor.
            layer.running_mean = torch.full_like(layer.running_mean, 2)
    network.eval()
    assert plugin.revert(network) is network
    assert norms(network) == kinds
    assert list(network.state_dict()) == names
    assert all(one is other for one, other in zip(network.parameters(), parameters, strict=True))
    for name in kinds:
        layer = network.get_submodule(name)
        assert isinstance(layer, _BatchNorm)
        assert (layer.weight == 3).all()
        assert (layer.running_mean == 2).all()
        assert not layer.training


def test_one_process_computes_what_it_did() -> None:
    """Without a group of processes the converted layers are batch norms like any other."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 8), bn_neck(8), nn.Linear(8, 5))
    other = copy.deepcopy(network)
    BatchNormSync().apply(other)
    vectors = torch.randn(7, 6)
    assert torch.equal(network(vectors), other(vectors))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(network(vectors), other(vectors))
        assert copy.deepcopy(other[:2])(vectors).dtype == torch.float32
    for (name, value), again in zip(network.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(value, again), name


def test_a_norm_that_holds_its_activation_keeps_it() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), BatchNormAct2d(4))
    images = torch.randn(2, 3, 5, 5)
    expected = network(images)
    BatchNormSync().apply(network)
    assert isinstance(network[1], nn.SyncBatchNorm)
    torch.testing.assert_close(network(images), expected)


def test_processes_on_the_cpu_are_refused_and_a_single_device_is_not() -> None:
    options = {"accelerator": "cpu", "logger": False, "enable_checkpointing": False}
    two = L.Trainer(devices=2, strategy="ddp", **options)
    with pytest.raises(ValueError, match=r"this training has 2 process\(es\) on the CPU"):
        check_batch_norm_sync(two, wanted=True)
    check_batch_norm_sync(two, wanted=False)
    check_batch_norm_sync(L.Trainer(devices=1, **options), wanted=True)


def test_lightning_takes_the_plugin_in_place_of_its_own() -> None:
    plugin = BatchNormSync()
    trainer = L.Trainer(
        accelerator="cpu", devices=2, strategy="ddp", logger=False, enable_checkpointing=False,
        sync_batchnorm=True, plugins=[plugin],
    )  # fmt: skip
    assert trainer.strategy._layer_sync is plugin  # pyright: ignore[reportAttributeAccessIssue]


VECTORS = torch.randn(12, 8, generator=torch.Generator().manual_seed(4)) * 3 + 1


def half(rank: int) -> Tensor:
    return VECTORS[:4] if rank == 0 else VECTORS[4:]


def share(rank: int, folder: Path, device: str = "cuda") -> None:
    """One of two processes on one GPU: some of the vectors, in half precision."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    network = nn.Sequential(bn_neck(8)).to(device)
    BatchNormSync().apply(network)
    with torch.autocast(device, torch.bfloat16):
        normalised = network(half(rank).to(device).bfloat16())
    torch.save((normalised.detach().cpu(), network[0].running_mean.cpu()), folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch shares batch statistics on GPUs only")
def test_two_processes_normalise_as_one(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    started = [
        subprocess.Popen([sys.executable, __file__, str(rank), tmp_path], env=environment)
        for rank in range(2)
    ]
    try:
        assert [process.wait(timeout=120) for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()
    alone = bn_neck(8)
    expected = alone(VECTORS.bfloat16().float())
    results = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    together = torch.cat([normalised for normalised, _ in results])
    assert together.dtype == torch.float32
    torch.testing.assert_close(together, expected.detach(), rtol=0, atol=1e-5)
    for _, mean in results:
        torch.testing.assert_close(mean, alone.running_mean)


if __name__ == "__main__":
    share(int(sys.argv[1]), Path(sys.argv[2]))
