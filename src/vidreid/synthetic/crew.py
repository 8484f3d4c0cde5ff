"""The processes that render tracklets and write their crops."""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.data.mars_format import folder_of, frame_name
from vidreid.synthetic.plan import FOLDERS, PlannedTrack, SplitPlan
from vidreid.synthetic.world import render_planned

Observed = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""True joints, detected joints and visible shares of a tracklet."""

Job = tuple[str, int, str, int, int]
"""Folder, seed, split, row of the plan and height of the crops."""


def _write_track(folder: str, seed: int, track: PlannedTrack, plan: SplitPlan, height: int) -> Observed:
    rendered = render_planned(seed, track, plan, height)
    target = Path(folder) / FOLDERS[track.split] / folder_of(track.pid)
    for number, data in enumerate(rendered.images, start=1):
        (target / frame_name(track.pid, track.camera, track.tracklet, number)).write_bytes(data)
    return rendered.true, rendered.detector, rendered.visible


_plans_in_worker: dict[str, SplitPlan] = {}


def _start_worker(plans: dict[str, SplitPlan]) -> None:
    # OpenCV's own threads would only fight with the other workers.
    cv2.setNumThreads(1)
    _plans_in_worker.update(plans)


def _work(job: Job) -> Observed:
    folder, seed, split, row, height = job
    plan = _plans_in_worker[split]
    return _write_track(folder, seed, plan.tracks[row], plan, height)


def render_all(jobs: Sequence[Job], plans: dict[str, SplitPlan], workers: int) -> Iterator[Observed]:
    """Render and write tracklets, and yield what was observed, in order.

    Args:
        jobs: What to render.
        plans: By split.
        workers: Processes; with one, this process does it.
    """
    if workers <= 1:
        _plans_in_worker.update(plans)
        yield from map(_work, jobs)
        return
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(plans,))
    try:
        # Ctrl-C is this process's business: workers inherit the blocked signal, also while they start.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            results = executor.map(_work, jobs, chunksize=4)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield from results
    finally:
        # Waits for the tracklets under way, so that nobody writes into a folder that is being removed.
        executor.shutdown(wait=True, cancel_futures=True)
