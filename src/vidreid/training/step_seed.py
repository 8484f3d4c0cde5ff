"""Randomness of a training step as a function of seed, step and rank."""

from typing import Any

import lightning as L
import torch
from typing_extensions import override

_LARGE_PRIME = 1_000_003


class StepSeed(L.Callback):
    """Seeds torch before every batch, so that dropout depends on nothing but seed, step and rank.

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
        step = trainer.global_step * trainer.world_size + trainer.global_rank
        torch.manual_seed(self.seed * _LARGE_PRIME + step)
