"""What a step draws depends on seed, epoch, batch and rank, and on nothing else."""

from types import SimpleNamespace
from typing import Any

import torch

from vidreid.training.step_seed import StepSeed


def drawn(seed: int, epoch: int, batch: int, rank: int) -> float:
    trainer: Any = SimpleNamespace(current_epoch=epoch, global_rank=rank)
    module: Any = None
    StepSeed(seed).on_train_batch_start(trainer, module, None, batch)
    return float(torch.rand(()))


def test_the_same_place_draws_the_same() -> None:
    first = drawn(1, 2, 3, 0)
    torch.rand(100)
    assert drawn(1, 2, 3, 0) == first


def test_every_other_place_draws_otherwise() -> None:
    places = [(s, e, b, r) for s in (0, 1) for e in (0, 1, 2) for b in (0, 1, 2) for r in (0, 1)]
    assert len({drawn(*place) for place in places}) == len(places)
