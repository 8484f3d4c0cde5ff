"""Loader processes that make batches of clips."""

import cv2
from torch.utils.data import DataLoader

from vidreid.data.dataset import Clip, EvaluationClips, TrainClips, collate_clips
from vidreid.data.samplers import EvaluationSampler, IdentitySampler, TrackletSampler

Loader = DataLoader[Clip]
ClipData = TrainClips | EvaluationClips
ClipSampler = TrackletSampler | IdentitySampler | EvaluationSampler


def clip_loader(
    data: ClipData,
    sampler: ClipSampler,
    batch_size: int,
    workers: int,
    pin_memory: bool,
    keep: bool,
) -> Loader:
    """Return a loader of ``ClipBatch``; its batches do not depend on the number of processes.

    Args:
        data: The clips.
        sampler: Says which, in which order.
        batch_size: Clips of a batch.
        workers: Loader processes; 0 reads in this one.
        pin_memory: Copy batches to pinned memory.
        keep: Whether the processes outlive an epoch.
    """
    return DataLoader(
        data,  # pyright: ignore[reportArgumentType]
        batch_size=batch_size,
        sampler=sampler,
        num_workers=workers,
        collate_fn=collate_clips,
        pin_memory=pin_memory,
        # The samplers live in this process, so that workers that stay still get new epochs.
        persistent_workers=keep and workers > 0,
        worker_init_fn=_start_worker,
    )


def _start_worker(worker: int) -> None:
    # Loader processes are the parallelism: threads of OpenCV inside each would fight over the cores.
    cv2.setNumThreads(0)
