"""What a step draws depends on seed, epoch, batch and rank, and on nothing else."""

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from vidreid.training.step_seed import StepSeed, step_seed


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


@pytest.mark.parametrize(
    ("place", "digest"),
    [
        ((0, 0, 0, 0), "5f50cd28d90426e4"),
        ((0, 3, 12, 1), "f3b9a17e8748b481"),
        ((7, 59, 311, 3), "28e9f04fc455ebd4"),
        ((4294967295, 1, 0, 0), "bdee02d449fa01f5"),
    ],
)
def test_a_seed_is_what_b2sum_prints(place: tuple[int, int, int, int], digest: str) -> None:
    """``printf '0 3 12 1' | b2sum -l 64``: under every Python, on every machine."""
    assert step_seed(*place) == int(digest, 16)


def test_many_steps_have_seeds_of_their_own() -> None:
    places = itertools.product(range(60), range(200), range(8))
    assert len({step_seed(0, *place) for place in places}) == 60 * 200 * 8
