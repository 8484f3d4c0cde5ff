"""Render the procedural benchmark into a tree that is MARS to the byte of its formats."""

import json
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidreid.data.mars_format import folder_of, frame_name, names_crc, write_info
from vidreid.files import build_folder_whole, write_whole
from vidreid.keypoints.store import write_keypoints
from vidreid.synthetic.camera import Camera, make_cameras
from vidreid.synthetic.plan import SIZES, PlannedTrack, SplitPlan, draw_queries, plan_split
from vidreid.synthetic.scene import Scene, make_scene
from vidreid.synthetic.tracks import Track, render_track

VERSION = 1
"""Of the generator: raised whenever the same seed gives other bytes."""

FOLDERS = {"train": "bbox_train", "test": "bbox_test"}
DESCRIPTION = "synthetic.json"

_SPLITS = ("train", "test")


def synthesize(
    root: str | Path,
    size: str = "small",
    seed: int = 0,
    height: int = 128,
    workers: int = 2,
    progress: bool = True,
) -> Path:
    """Render the benchmark, or find it already there.

    The tree holds ``bbox_train``, ``bbox_test``, ``info`` (as MARS), ``keypoints/true`` and
    ``keypoints/detector`` (17 joints, rows in name-list order), ``visible/bbox_train.npy`` and
    ``bbox_test.npy`` (share of the body that is seen, float16 per frame) and ``synthetic.json`` (seed, size,
    version, attributes of every identity). The same seed, size and height give the same bytes with any number
    of workers. An interrupted run leaves nothing under ``root``.

    Args:
        root: Folder of the tree.
        size: ``tiny`` (tests), ``small`` (demonstration) or ``full`` (studies).
        seed: Of everything.
        height: Rows of the crops; they are half as wide.
        workers: Processes.
        progress: Show a bar.

    Returns:
        ``root``.

    Raises:
        ValueError: For an unknown size or an odd height.
        FileExistsError: If ``root`` holds something else.
    """
    root = Path(root)
    if size not in SIZES:
        raise ValueError(
            f"Unknown size {size!r} of the procedural benchmark: choose one of {', '.join(SIZES)}."
        )
    if height < 32 or height % 2:
        raise ValueError(f"The height of the crops is {height}: choose an even number of at least 32.")
    identity = {
        "generator": "vidreid.synthetic",
        "version": VERSION,
        "size": size,
        "seed": seed,
        "height": height,
    }
    if is_there(root, identity):
        return root
    plans = {split: plan_split(seed, split, SIZES[size]) for split in _SPLITS}
    with build_folder_whole(root) as folder:
        _render(folder, plans, seed, height, workers, progress)
        _describe(folder, plans, identity)
    return root


def is_there(root: Path, identity: dict[str, str | int]) -> bool:
    """Tell whether ``root`` is this very benchmark.

    Raises:
        FileExistsError: If ``root`` is not empty and holds something else.
    """
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    description = root / DESCRIPTION
    if not description.is_file():
        raise FileExistsError(
            f"{root} is not empty and holds no procedural benchmark: choose another root or empty it."
        )
    found = json.loads(description.read_text())
    different = [f"{key}={found.get(key)!r}" for key in identity if found.get(key) != identity[key]]
    if different:
        wanted = ", ".join(f"{key}={identity[key]!r}" for key in identity if found.get(key) != identity[key])
        raise FileExistsError(
            f"{root} holds another procedural benchmark ({', '.join(different)} instead of {wanted}): "
            "choose another root or remove it."
        )
    return True


@lru_cache(maxsize=4)
def cameras_of(seed: int) -> list[Camera]:
    """Return the six cameras of a seed."""
    return make_cameras(np.random.default_rng([seed, 2]))


@lru_cache(maxsize=32)
def scene_of(seed: int, camera: int, scene: int) -> Scene:
    """Return a background of a camera."""
    return make_scene(np.random.default_rng([seed, 3, camera, scene]), cameras_of(seed)[camera - 1])


def render_planned(
    seed: int, track: PlannedTrack, plan: SplitPlan, height: int, keep_pixels: bool = False
) -> Track:
    """Render one tracklet of a plan; its randomness depends on nothing but its own name and the seed."""
    key = [seed, 4, _SPLITS.index(track.split), track.pid + 1, track.camera, track.tracklet]
    return render_track(
        np.random.default_rng(key),
        cameras_of(seed)[track.camera - 1],
        scene_of(seed, track.camera, track.scene),
        plan.wardrobe,
        track.identity,
        track.frames,
        track.kind,
        track.switch_to,
        height,
        keep_pixels,
    )


Observed = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


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


def _work(job: tuple[str, int, str, int, int]) -> Observed:
    folder, seed, split, row, height = job
    plan = _plans_in_worker[split]
    return _write_track(folder, seed, plan.tracks[row], plan, height)


def _render(
    folder: Path, plans: dict[str, SplitPlan], seed: int, height: int, workers: int, progress: bool
) -> None:
    for split, plan in plans.items():
        for pid in {track.pid for track in plan.tracks}:
            (folder / FOLDERS[split] / folder_of(pid)).mkdir(parents=True, exist_ok=True)
    jobs = [
        (str(folder), seed, split, row, height) for split in plans for row in range(len(plans[split].tracks))
    ]
    frames = [track.frames for plan in plans.values() for track in plan.tracks]
    observed: list[Observed] = []
    columns = (
        TextColumn("rendering"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("crops"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=not progress) as bar:
        task = bar.add_task("rendering", total=sum(frames))
        for result, count in zip(_results(jobs, plans, workers), frames, strict=True):
            observed.append(result)
            bar.advance(task, count)
    start = 0
    for split, plan in plans.items():
        part = observed[start : start + len(plan.tracks)]
        start += len(plan.tracks)
        _write_observed(folder, split, plan, part)
    _write_info(folder, plans, seed)


def _results(
    jobs: Sequence[tuple[str, int, str, int, int]], plans: dict[str, SplitPlan], workers: int
) -> Iterator[Observed]:
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


def track_names(track: PlannedTrack) -> list[str]:
    """Return the file names of a tracklet."""
    return [frame_name(track.pid, track.camera, track.tracklet, n + 1) for n in range(track.frames)]


def _write_observed(folder: Path, split: str, plan: SplitPlan, observed: Sequence[Observed]) -> None:
    names = [name for track in plan.tracks for name in track_names(track)]
    crc = names_crc(names)
    true, detector, visible = (np.concatenate(parts) for parts in zip(*observed, strict=True))
    write_keypoints(folder / "keypoints" / "true", FOLDERS[split], true, crc, "exact joints of the renderer")
    write_keypoints(
        folder / "keypoints" / "detector",
        FOLDERS[split],
        detector,
        crc,
        "simulated pose estimator of the renderer",
    )
    with write_whole(folder / "visible" / f"{FOLDERS[split]}.npy") as path:
        np.save(path, visible.astype(np.float16))


def _write_info(folder: Path, plans: dict[str, SplitPlan], seed: int) -> None:
    names, rows = {}, {}
    for split, plan in plans.items():
        names[split] = [name for track in plan.tracks for name in track_names(track)]
        last = np.cumsum([track.frames for track in plan.tracks])
        first = last - [track.frames for track in plan.tracks] + 1
        rows[split] = np.array(
            [(a, b, t.pid, t.camera) for a, b, t in zip(first, last, plan.tracks, strict=True)], np.int32
        )
    query = np.array(draw_queries(np.random.default_rng([seed, 5]), plans["test"].tracks)) + 1
    write_info(folder, names["train"], names["test"], rows["train"], rows["test"], query.astype(np.uint16))


def _describe(folder: Path, plans: dict[str, SplitPlan], identity: dict[str, str | int]) -> None:
    description: dict[str, object] = dict(identity)
    for split, plan in plans.items():
        description[split] = {
            "identities": len(plan.identities),
            "tracklets": len(plan.tracks),
            "frames": sum(track.frames for track in plan.tracks),
            "families": plan.families,
            "attributes": {pid: who.attributes() for pid, who in plan.identities.items()},
        }
    with write_whole(folder / DESCRIPTION) as path:
        path.write_text(json.dumps(description, indent=1) + "\n")
