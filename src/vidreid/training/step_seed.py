"""Randomness of a training step as a function of seed, epoch, batch and rank."""

import hashlib
from typing import Any

import lightning as L
import torch
from typing_extensions import override


def step_seed(seed: int, epoch: int, batch: int, rank: int) -> int:
    """Return the seed of a training step: the first 8 bytes of a BLAKE2b digest, read from the left.

    Digested are the four numbers as text with spaces between them. So the seed is the same on every machine
    and under every Python, and ``printf '0 3 12 1' | b2sum -l 64`` shows it.

    Args:
        seed: The seed of the run.
        epoch: Number of the epoch, from 0.
        batch: Number of the batch in its epoch, from 0.
        rank: Number of the process, from 0.

    Returns:
        A number below ``2**64``. Torch's generator on processors reads its lower half, on GPUs the whole.
    """
    place = f"{seed} {epoch} {batch} {rank}".encode()
    return int.from_bytes(hashlib.blake2b(place, digest_size=8).digest(), "big")


class StepSeed(L.Callback):
    """Seeds torch before every batch, so that dropout depends on nothing but where it happens.

    A run that was killed and resumed then draws the numbers that an uninterrupted run draws.

    Args:
        seed: The seed of the run.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    @override
    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        torch.manual_seed(step_seed(self.seed, trainer.current_epoch, batch_idx, trainer.global_rank))
