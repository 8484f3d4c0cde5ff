"""Frames from folders against the same frames from one packed file, cold and warm.

A rendered tree is read by one process in two orders: clips of 8 frames from tracklets in random order, as in
training, and frames from first to last, as in evaluation. Both sources take turns, and each time is split in
two: getting the bytes and decoding them. Cold means that the pages of the files were dropped before
(``posix_fadvise``), which ``mincore`` confirms. Directories and inodes stay known to the system, so that a
tree that was never touched is slower still. Processor time is counted, so that other work on the machine does
not decide the ratio; only what is got cold is counted by the wall clock, because that is waiting.

Run as ``python benchmarks/packed_frames.py [ROOT]``; without a tree in MARS format, one is rendered.
"""

import ctypes
import json
import mmap
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from vidreid.data.clips import training_clip
from vidreid.data.frames import decode_image
from vidreid.data.packing import pack_frames
from vidreid.data.readers.mars_reader import read_mars
from vidreid.data.tracklets import FrameList
from vidreid.synthetic.benchmark import synthesize

CLIP, ROUNDS, MOST_FRAMES = 8, 7, 4_000


def run(root: Path | None = None, size: str = "small", rounds: int = ROUNDS) -> dict[str, object]:
    """Measure and return ratios (folders over pack: above 1 the pack is faster) and microseconds a frame.

    Args:
        root: A tree in MARS format; ``None`` renders one.
        size: Of the rendered tree.
        rounds: Turns of every source; the figures are medians over them.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(0)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measure(root or synthesize(Path(folder) / "tree", size), Path(folder), rounds)
    finally:
        cv2.setNumThreads(threads)


def _measure(root: Path, folder: Path, rounds: int) -> dict[str, object]:
    benchmark = read_mars(root)
    frames = benchmark.train_frames
    begin = time.perf_counter()
    files = pack_frames(frames, folder, "train", progress=False).files
    packing = time.perf_counter() - begin
    os.sync()  # pages that are not on disk yet cannot be dropped
    bounds = benchmark.train[["start", "stop"]].to_numpy().tolist()
    orders = {"clips": lambda turn: _clips(bounds, turn), "in_order": lambda turn: range(len(frames))}
    sources: dict[str, tuple[Callable[[], FrameList], list[str]]] = {
        "folders": (lambda: frames, [frames.file(row) for row in range(len(frames))]),
        # Opened anew each time, as by a loader process: only pages that nobody maps can be dropped.
        "pack": (lambda: pack_frames(frames, folder, "train"), [str(files.data)]),
    }
    result: dict[str, object] = {
        "frames": len(frames),
        "bytes_a_frame": files.data.stat().st_size / len(frames),
        "packing_seconds": packing,
    }
    resident = 0.0
    for order, rows_of in orders.items():
        times: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for turn in range(rounds):
            rows = list(islice(rows_of(turn), MOST_FRAMES))
            for name, (opened, paths) in sources.items():
                _drop(paths)
                resident = max(resident, _resident_share(paths[:: max(len(paths) // 200, 1)]))
                for cache in ("cold", "warm"):
                    times.setdefault((cache, name), []).append(_read(opened(), rows, cache))
        for cache in ("cold", "warm"):
            result[f"{order}_{cache}"] = _compare(times[cache, "folders"], times[cache, "pack"])
    return {**result, "resident_share_when_cold": resident}


def _clips(bounds: list[list[int]], turn: int) -> Iterable[int]:
    generator = random.Random(turn)
    for start, stop in generator.sample(bounds, len(bounds)):
        chosen = training_clip("segment_random", stop - start, CLIP, generator)
        yield from dict.fromkeys((start + np.asarray(chosen)).tolist())


def _read(frames: FrameList, rows: list[int], cache: str) -> tuple[float, float]:
    """Return the seconds a frame of getting the bytes and of decoding them."""
    clock = time.perf_counter if cache == "cold" else time.process_time
    getting = decoding = 0.0
    for first in range(0, len(rows), 64):
        begin = clock()
        images = [frames.encoded(row) for row in rows[first : first + 64]]
        getting += clock() - begin
        begin = time.process_time()
        for image in images:
            decode_image(image, "a frame")
        decoding += time.process_time() - begin
    return getting / len(rows), decoding / len(rows)


def _compare(folders: list[tuple[float, float]], pack: list[tuple[float, float]]) -> dict[str, float]:
    (bytes_a, decode_a), (bytes_b, decode_b) = (
        [1e6 * statistics.median(part) for part in zip(*times, strict=True)] for times in (folders, pack)
    )
    ratios = [sum(a) / sum(b) for a, b in zip(folders, pack, strict=True)]
    return {
        "ratio": statistics.median(ratios),
        "ratio_lowest": min(ratios),
        "ratio_highest": max(ratios),
        "ratio_of_getting_bytes": bytes_a / bytes_b,
        "folders_bytes_us": bytes_a,
        "pack_bytes_us": bytes_b,
        "folders_decode_us": decode_a,
        "pack_decode_us": decode_b,
    }


def _drop(paths: list[str]) -> None:
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def _resident_share(paths: list[str]) -> float:
    """Return the share of the pages of some files that are in memory."""
    system = ctypes.CDLL(None, use_errno=True)
    found = pages = 0
    for path in paths:
        size = Path(path).stat().st_size
        with Path(path).open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY) as mapped:
            states = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
            address = ctypes.c_char.from_buffer(mapped)  # wants a map that could be written to
            if system.mincore(ctypes.c_void_p(ctypes.addressof(address)), ctypes.c_size_t(size), states):
                raise OSError(ctypes.get_errno(), f"mincore failed for {path}")
            del address  # or the map could not be closed
            found += sum(state & 1 for state in states)
            pages += len(states)
    return found / pages


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=2))
