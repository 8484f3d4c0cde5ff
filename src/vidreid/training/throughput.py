"""Frames a second, epoch by epoch."""

import time
from typing import Any

import lightning as L
from typing_extensions import override

from vidreid.data.batch import ClipBatch


class FramesPerSecond(L.Callback):
    """Logs ``train/frames_per_second``: all frames of an epoch over its wall time, all ranks together.

    Attributes:
        seconds: Wall time of the training epochs so far.
        frames: Frames of the training epochs so far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.frames = 0
        self._start = 0.0
        self._epoch_frames = 0

    @override
    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._start = time.perf_counter()
        self._epoch_frames = 0

    @override
    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: ClipBatch, batch_idx: int
    ) -> None:
        clips, frames = batch.images.shape[:2]
        self._epoch_frames += clips * frames * trainer.world_size

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        seconds = time.perf_counter() - self._start
        self.seconds += seconds
        self.frames += self._epoch_frames
        pl_module.log("train/frames_per_second", self._epoch_frames / seconds, rank_zero_only=True)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "frames": self.frames}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.seconds = float(state_dict["seconds"])
        self.frames = int(state_dict["frames"])
