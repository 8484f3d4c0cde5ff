"""Randomness of a training step as a function of seed, epoch, batch and rank."""

from typing import Any

import lightning as L
import torch
from typing_extensions import override

# Far more batches than an epoch has and more ranks than a cluster, so that no two steps share a seed.
_BATCHES, _RANKS = 1 << 24, 1 << 12


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
        place = (trainer.current_epoch * _BATCHES + batch_idx) * _RANKS + trainer.global_rank
        torch.manual_seed(hash((self.seed, place)) % (1 << 63))
