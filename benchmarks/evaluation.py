"""Evaluation at the size of MARS: the exact block-wise ranking against the classic full-matrix NumPy loop.

1,980 queries, 11,310 gallery tracklets, 2,048 float32 values each, two threads for everybody. Every
evaluator runs in processes of its own, in turns, so that a busy machine slows all of them. Two loops are
compared: ``loop`` computes the precision at every rank in a Python list, as the evaluators in circulation
do; ``tidy_loop`` does that one step in NumPy.

Run as ``python benchmarks/evaluation.py``.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

QUERIES, REAL, DISTRACTORS, WIDTH, THREADS = 1_980, 8_062, 3_248, 2_048, 2
ROUNDS, REPEATS = 2, 2


def write_problem(folder: Path) -> None:
    """Descriptors and ids shaped like MARS's official protocol: queries stand in the gallery too."""
    random = np.random.default_rng(0)
    pids = np.concatenate([np.zeros(DISTRACTORS, np.int64), np.sort(random.integers(1, 635, REAL))])
    cameras = random.integers(1, 7, len(pids))
    centres = random.standard_normal((635, WIDTH), dtype=np.float32)
    gallery = random.standard_normal((len(pids), WIDTH), dtype=np.float32)
    gallery *= 4
    gallery[pids > 0] += centres[pids[pids > 0]]
    rows = DISTRACTORS + np.sort(random.choice(REAL, QUERIES, replace=False))
    for name, array in (("query", gallery[rows]), ("gallery", gallery)):
        np.save(folder / f"{name}.npy", array)
    for name, values in (("pids", pids), ("cameras", cameras)):
        np.save(folder / f"query_{name}.npy", values[rows])
        np.save(folder / f"gallery_{name}.npy", values)


Problem = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Scores = dict[str, float]


def full_matrix_loop(problem: Problem, tidy: bool) -> Scores:
    """The classic evaluator: all distances, all orders, then one query after the other."""
    query, gallery, query_pids, gallery_pids, query_cameras, gallery_cameras = problem
    start = time.perf_counter()
    distances = (query**2).sum(axis=1)[:, None] + (gallery**2).sum(axis=1)[None] - 2 * (query @ gallery.T)
    matrix_seconds = time.perf_counter() - start
    orders = np.argsort(distances, axis=1)
    matches = (gallery_pids[orders] == query_pids[:, None]).astype(np.int32)
    curves, precisions, penalties = [], [], []
    for row in range(len(query)):
        order = orders[row]
        ignored = (gallery_pids[order] == query_pids[row]) & (gallery_cameras[order] == query_cameras[row])
        hits = matches[row][~ignored]
        if not hits.any():
            continue
        found = hits.cumsum()
        curves.append(np.minimum(found, 1)[:50])
        penalties.append(found[-1] / (np.flatnonzero(hits)[-1] + 1))
        if tidy:
            precision = found / np.arange(1, len(found) + 1)
        else:
            precision = np.asarray([x / (i + 1.0) for i, x in enumerate(found)])
        precisions.append((precision * hits).sum() / hits.sum())
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "distance_seconds": matrix_seconds,
        "rank1": float(np.mean(curves, axis=0)[0]),
        "mAP": float(np.mean(precisions)),
        "mINP": float(np.mean(penalties)),
        "queries": len(precisions),
    }


def blocks(problem: Problem) -> Scores:
    """The library's ranking."""
    import torch

    from vidreid.metrics.ranking import rank

    tensors = [torch.from_numpy(array) for array in problem]
    start = time.perf_counter()
    result = rank(*tensors)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    for part in tensors[1].split(512):
        tensors[0] @ part.T
    return {
        "seconds": seconds,
        "distance_seconds": time.perf_counter() - start,
        "rank1": float(result.cmc[0]),
        "mAP": result.mean_ap,
        "mINP": result.mean_inp,
        "queries": result.queries_counted,
    }


EVALUATORS: dict[str, Callable[[Problem], Scores]] = {
    "blocks": blocks,
    "loop": lambda problem: full_matrix_loop(problem, tidy=False),
    "tidy_loop": lambda problem: full_matrix_loop(problem, tidy=True),
}


def peak_mb() -> float:
    """Return the largest memory of this process so far.

    Not ``ru_maxrss``: a process starts with that of its parent, even after an exec.
    """
    status = Path("/proc/self/status").read_text()
    return float(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # pyright: ignore[reportOptionalSubscript]


def measure(name: str, folder: Path) -> None:
    """In a process of its own: evaluate and print figures and the peak memory beside the features."""
    sides = ("", "_pids", "_cameras")
    arrays = [np.load(folder / f"{side}{kind}.npy") for kind in sides for side in ("query", "gallery")]
    problem: Any = tuple(arrays)
    EVALUATORS[name](tuple(array[-600:] for array in arrays))  # loads and warms up
    before = peak_mb()
    scores = min((EVALUATORS[name](problem) for _ in range(REPEATS)), key=lambda score: score["seconds"])
    scores["peak_mb"] = peak_mb() - before
    print(json.dumps(scores))


def run() -> dict[str, Any]:
    """Measure all evaluators and return ratios first.

    Returns:
        ``time_ratio`` and ``memory_ratio`` (loop over blocks) and the best figures of each evaluator.
    """
    limits = {f"{library}_NUM_THREADS": str(THREADS) for library in ("OMP", "MKL", "OPENBLAS")}
    runs: dict[str, list[Scores]] = {name: [] for name in EVALUATORS}
    with tempfile.TemporaryDirectory() as folder:
        write_problem(Path(folder))
        for _ in range(ROUNDS):
            for name in EVALUATORS:
                command = [sys.executable, str(Path(__file__).resolve()), name, folder]
                done = subprocess.run(
                    command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | limits
                )
                runs[name].append(json.loads(done.stdout))
    best = {name: min(scores, key=lambda score: score["seconds"]) for name, scores in runs.items()}
    for name in ("loop", "tidy_loop"):
        for key in ("rank1", "mAP", "mINP", "queries"):
            if abs(best[name][key] - best["blocks"][key]) > 1e-5:
                raise AssertionError(f"{name} and blocks disagree about {key}: {best}")
    size = f"{QUERIES} x {REAL + DISTRACTORS} x {WIDTH} float32"
    return {
        "size": f"{size}, {THREADS} threads, best of {ROUNDS * REPEATS}",
        "time_ratio": best["loop"]["seconds"] / best["blocks"]["seconds"],
        "time_ratio_tidy_loop": best["tidy_loop"]["seconds"] / best["blocks"]["seconds"],
        "memory_ratio": best["loop"]["peak_mb"] / best["blocks"]["peak_mb"],
        "peak_mb_beside_features": best["blocks"]["peak_mb"],
        "ranking_seconds": {k: v["seconds"] - v["distance_seconds"] for k, v in best.items()},
        "evaluators": best,
    }


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        print(json.dumps(run(), indent=2))
