"""Small trainings and evaluations in Lightning, and the processes that share them.

Run as a script it forks 1, 2 and 3 processes, for one import takes longer than everything else. They meet as
under torchrun: their ranks stand in the environment.
"""

import multiprocessing
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from support.mars_tree import make_mars_tree
from support.ports import free_port
from vidreid.data.mars import MarsDataModule
from vidreid.losses.identity import IdentityLoss
from vidreid.losses.recipe import LossRecipe
from vidreid.metrics.reid import ReidMetric
from vidreid.models.layers.bn_neck import bn_neck
from vidreid.models.network import ReidNetwork
from vidreid.models.outputs import TrainingOutputs
from vidreid.training.module import ReidModule
from vidreid.training.schedules import constant
from vidreid.training.step_seed import StepSeed

WORLDS = (1, 2, 3)
STEP = 6
"""Clips, or identities, in a step of all processes."""
TRAIN = [(pid, camera, 2 + (pid + camera) % 4) for pid in range(1, 9) for camera in range(1, 5)][:29]
TEST = [(pid, camera, 2 + (3 * pid + camera) % 9) for pid in range(20, 25) for camera in range(1, 4)]
FEW = [(20, 1, 2), (20, 2, 2)]


class Small(ReidNetwork):
    """A clip is the mean of its frames; there may be a neck (``batch_statistics``) and dropout."""

    def __init__(self, identities: int, batch_statistics: bool, dropout: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.frame = nn.Linear(3 * 8, 16)
        self.neck = bn_neck(16) if batch_statistics else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(16, identities)
        self.noises: list[Tensor] = []

    def forward(self, images: Tensor, keypoints: Any = None, cameras: Any = None) -> TrainingOutputs:
        noise = self.dropout(torch.ones(len(images), 16))
        self.noises.append(noise)
        return TrainingOutputs({"global": self.classifier(self.describe(images) * noise)}, {})

    def describe(self, images: Tensor, keypoints: Any = None, cameras: Any = None) -> Tensor:
        frames = F.adaptive_avg_pool2d(images.flatten(0, 1), (4, 2)).flatten(1)
        return self.neck(torch.tanh(self.frame(frames)).unflatten(0, images.shape[:2]).mean(1))

    def exported(self) -> "Small":
        return self

    def training_only(self) -> list[str]:
        return ["classifier"]


class FirstGradient(L.Callback):
    """Keeps what the first step of the optimiser is made of."""

    def __init__(self) -> None:
        self.gradients: dict[str, Tensor] = {}

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: Any, optimizer: Any) -> None:
        if not self.gradients:
            named = pl_module.network.named_parameters()
            self.gradients = {name: p.grad.clone() for name, p in named if p.grad is not None}


def make_data(root: Path, world: int, **options: Any) -> MarsDataModule:
    """Batches of a step's share; clips of 2 frames."""
    return MarsDataModule(
        root, height=32, width=16, clip_length=2, batch_size=STEP // world, test_batch_size=3, workers=0,
        identities_per_batch=STEP // world, tracklets_per_identity=2, test_sampling="dense", **options,
    )  # fmt: skip


def make_module(network: Small) -> ReidModule:
    return ReidModule(
        network,
        LossRecipe({"identity": IdentityLoss()}),
        partial(torch.optim.SGD, lr=0.2, momentum=0.9),
        constant,
        partial(ReidMetric, max_rank=20),
    )


def make_trainer(world: int, folder: Path, *callbacks: L.Callback, **options: Any) -> L.Trainer:
    return L.Trainer(
        accelerator="cpu", devices=world, strategy="ddp" if world > 1 else "auto", logger=False,
        default_root_dir=folder, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False, num_sanity_val_steps=0,
        callbacks=[StepSeed(3), *callbacks], **options,
    )  # fmt: skip


def joined_batch(root: Path, world: int, folder: Path, sampler: Any) -> dict[str, Any]:
    """Two epochs of a network without batch statistics and randomness."""
    data = make_data(root, world, sampler=sampler)
    module, first = make_module(Small(data.num_identities, batch_statistics=False)), FirstGradient()
    trainer = make_trainer(world, folder, first, max_epochs=2)
    trainer.fit(module, datamodule=data)
    return {
        "steps": trainer.global_step,
        "gradients": first.gradients,
        "weights": module.network.state_dict(),
    }


def with_dropout(root: Path, world: int, folder: Path) -> dict[str, Any]:
    """Two epochs of a network with batch statistics and dropout, with a validation after each."""
    data = make_data(root, world, held_out_identities=2)
    module = make_module(Small(data.num_identities, batch_statistics=True, dropout=0.5))
    make_trainer(world, folder, max_epochs=2).fit(module, datamodule=data)
    assert module.evaluation is not None
    return {
        "noises": module.network.noises,
        "weights": module.network.state_dict(),
        "parameters": dict(module.network.named_parameters()),
        "validation": module.evaluation.scalars,
    }


def tested(root: Path, world: int, folder: Path) -> dict[str, Any]:
    """The test set, described by a network at its start."""
    data = make_data(root, world)
    module = make_module(Small(data.num_identities, batch_statistics=True))
    make_trainer(world, folder).test(module, datamodule=data, verbose=False)
    assert module.evaluation is not None
    aps = module.evaluation.ranking.average_precisions
    return {"clips": data.test_clips, "scores": module.evaluation.scalars, "aps": aps.nan_to_num(-1)}


def main(rank: int, world: int, port: int, folder: Path) -> None:
    if world > 1:
        ranks = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world}
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
        os.environ |= {key: str(value) for key, value in {**ranks, **meeting, "GROUP_RANK": 0}.items()}
    root = folder / "mars"
    results = {
        "random": joined_batch(root, world, folder, "random"),
        "identity": joined_batch(root, world, folder, "identity"),
        "dropout": with_dropout(root, world, folder),
        "tested": tested(root, world, folder),
        "few": tested(folder / "few", world, folder),
    }
    torch.save(results, folder / f"{world}_{rank}.pt")


if __name__ == "__main__":
    out = Path(sys.argv[1])
    make_mars_tree(out / "mars", train=TRAIN, test=TEST, query=range(1, len(TEST) + 1))
    make_mars_tree(out / "few", train=TRAIN, test=FEW, query=[1])
    fork = multiprocessing.get_context("fork")
    for size in WORLDS:
        place = free_port()
        started = [
            fork.Process(target=main, args=(rank, size, place, out), daemon=True) for rank in range(size)
        ]
        for process in started:
            process.start()
        for process in started:
            process.join(timeout=180)  # one that waits for a dead one is ended with this process
        if any(process.exitcode != 0 for process in started):
            sys.exit(1)
