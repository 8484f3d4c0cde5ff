"""k-reciprocal re-ranking at the size of MARS: sparse rows against the classic full matrices in NumPy.

1,980 queries, 11,310 gallery tracklets, 256 float32 values each. The queries stand in the gallery too, as in
MARS's official protocol. Each way runs in processes of its own, in turns, with one thread, by the clock of
the processor, which does not count what else the machine does. The classic way is written as the method is
described: all distances among the 13,290 items, an argsort of every row, one item after the other, all
vectors and their averages as full float32 matrices. Both start from the descriptors and end with the
distances of all queries.

Run as ``python benchmarks/reranking.py``.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from evaluation import peak_mb

QUERIES, REAL, DISTRACTORS, WIDTH = 1_980, 8_062, 3_248, 256
ROUNDS = 2
K1, K2, LAMBDA = 20, 6, 0.3


def write_problem(folder: Path, queries: int, real: int, distractors: int) -> None:
    """Descriptors that hold a person, how a camera sees that person, and noise; distractors are in crowds."""
    random = np.random.default_rng(0)
    people = max(2, real // 13)
    persons = np.concatenate(
        [random.integers(0, people, real), random.integers(people, 2 * people, distractors)]
    )
    views = persons * 6 + random.integers(0, 6, len(persons))
    gallery = random.standard_normal((2 * people, WIDTH), dtype=np.float32)[persons]
    gallery += random.standard_normal((12 * people, WIDTH), dtype=np.float32)[views]
    gallery += random.standard_normal((len(persons), WIDTH), dtype=np.float32)
    rows = np.sort(random.choice(real, queries, replace=False))
    np.save(folder / "gallery.npy", gallery)
    np.save(folder / "query.npy", gallery[rows])


def full_matrices(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """The classic way; distances are squared Euclidean, once."""
    items = np.concatenate([query, gallery])
    total, queries = len(items), len(query)
    norms = (items**2).sum(axis=1)
    distances = norms[:, None] + norms[None] - 2 * (items @ items.T)
    np.maximum(distances, 0, out=distances)
    distances = np.transpose(distances / distances.max(axis=0))
    order = np.argsort(distances, axis=1, kind="stable").astype(np.int32)
    half = round(K1 / 2) + 1
    vectors = np.zeros_like(distances)
    for item in range(total):
        forward = order[item, : K1 + 1]
        mutual = forward[(order[forward, : K1 + 1] == item).any(axis=1)]
        joined = mutual
        for member in mutual:
            forward = order[member, :half]
            candidates = forward[(order[forward, :half] == member).any(axis=1)]
            if len(np.intersect1d(candidates, mutual)) > 2 / 3 * len(candidates):
                joined = np.append(joined, candidates)
        joined = np.unique(joined)
        weights = np.exp(-distances[item, joined])
        vectors[item, joined] = weights / weights.sum()
    original = distances[:queries, queries:].copy()
    del distances
    averaged = np.zeros_like(vectors)
    for item in range(total):
        averaged[item] = vectors[order[item, :K2]].mean(axis=0)
    vectors = averaged
    del order, averaged
    holders = [np.flatnonzero(vectors[:, place]) for place in range(total)]
    jaccard = np.empty((queries, total), np.float32)
    for item in range(queries):
        common = np.zeros(total, np.float32)
        for place in np.flatnonzero(vectors[item]):
            common[holders[place]] += np.minimum(vectors[item, place], vectors[holders[place], place])
        jaccard[item] = 1 - common / (2 - common)
    return (1 - LAMBDA) * jaccard[:, queries:] + LAMBDA * original


def sparse_rows(query: np.ndarray, gallery: np.ndarray, keep: bool = False) -> np.ndarray | None:
    """The library's way: the distances of a few queries at a time, as its ranking asks for them."""
    import torch

    from vidreid.metrics.reranking import KReciprocal

    found = KReciprocal(K1, K2, LAMBDA)(torch.from_numpy(query), torch.from_numpy(gallery))
    rows = []
    for start in range(0, len(query), found.tile):
        block = found(slice(start, start + found.tile))
        if keep:
            rows.append(block.numpy())
    return np.concatenate(rows) if keep else None


WAYS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray | None]] = {
    "sparse_rows": sparse_rows,
    "full_matrices": full_matrices,
}


def measure(name: str, folder: Path) -> None:
    """In a process of its own: print seconds and the peak memory beside the descriptors; keep the result."""
    query, gallery = np.load(folder / "query.npy"), np.load(folder / "gallery.npy")
    WAYS[name](query[:50], gallery[:200])  # loads and warms up
    before = peak_mb()
    start = time.process_time()
    result = WAYS[name](query, gallery)
    figures = {"seconds": time.process_time() - start, "peak_mb": peak_mb() - before}
    file = folder / f"{name}.npy"
    if not file.is_file():
        np.save(file, sparse_rows(query, gallery, keep=True) if result is None else result)
    print(json.dumps(figures))


def run(
    queries: int = QUERIES, real: int = REAL, distractors: int = DISTRACTORS, rounds: int = ROUNDS
) -> dict[str, Any]:
    """Measure both ways and return ratios first.

    Args:
        queries: Number of queries.
        real: Gallery tracklets of people who are asked for.
        distractors: Other gallery tracklets.
        rounds: Turns; the fastest and the largest memory count.

    Returns:
        ``time_ratio`` and ``memory_ratio`` (full matrices over sparse rows) and the figures of both.

    Raises:
        AssertionError: If the ways do not give the same distances.
    """
    limits = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        write_problem(Path(folder), queries, real, distractors)
        for _ in range(rounds):
            for name in WAYS:
                command = [sys.executable, str(Path(__file__).resolve()), name, folder]
                done = subprocess.run(
                    command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | limits
                )
                runs[name].append(json.loads(done.stdout))
        ours, theirs = (np.load(Path(folder) / f"{name}.npy") for name in WAYS)
    # Where rounding decides who is the last in a list, single distances differ.
    apart = np.abs(ours - theirs) > 1e-4
    if apart.mean() > 1e-3:
        raise AssertionError(f"{apart.mean():.2%} of the distances differ between the two ways.")
    # The fastest turn, which was disturbed least, and the largest memory.
    best = {
        name: {"seconds": min(x["seconds"] for x in turns), "peak_mb": max(x["peak_mb"] for x in turns)}
        for name, turns in runs.items()
    }
    ratio = {key: best["full_matrices"][key] / best["sparse_rows"][key] for key in ("seconds", "peak_mb")}
    return {
        "size": f"{queries} x {real + distractors} x {WIDTH} float32, one thread, {rounds} turns",
        "time_ratio": ratio["seconds"],
        "memory_ratio": ratio["peak_mb"],
        "peak_mb_beside_descriptors": best["sparse_rows"]["peak_mb"],
        "share_of_distances_apart": float(apart.mean()),
        "largest_difference": float(np.abs(ours - theirs).max()),
        "turns": runs,
    }


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        print(json.dumps(run(), indent=2))
