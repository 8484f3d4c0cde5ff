"""Evaluation of large galleries: minutes and memory of 20,000 x 200,000, and how time grows with the pairs.

Descriptors of 256 float32 values, ten gallery tracklets an identity, six cameras, two threads. Every size
runs in a process of its own. The ranking is linear in queries times gallery if the seconds for a billion
pairs stay the same.

Run as ``python benchmarks/evaluation_scale.py``; sizes may follow, as in ``2000x20000 20000x200000``.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from evaluation import THREADS, peak_mb

WIDTH, ITEMS_OF_AN_IDENTITY = 256, 10
SIZES = ((2_000, 20_000), (10_000, 20_000), (10_000, 100_000), (20_000, 200_000))


def problem(queries: int, items: int, width: int = WIDTH) -> list[torch.Tensor]:
    """Return descriptors, identities and cameras of queries and gallery, in the order of ``rank``."""
    make = torch.Generator().manual_seed(0)
    people = max(1, items // ITEMS_OF_AN_IDENTITY)
    pids = [torch.randint(people, (count,), generator=make) for count in (queries, items)]
    cameras = [torch.randint(6, (count,), generator=make) for count in (queries, items)]
    centres = torch.randn(people, width, generator=make)
    features = []
    for own in pids:
        side = torch.randn(len(own), width, generator=make).mul_(2)
        for start in range(0, len(own), 10_000):  # no second copy: the peak is the ranking's
            side[start : start + 10_000] += centres[own[start : start + 10_000]]
        features.append(side)
    return [*features, *pids, *cameras]


def measure(queries: int, items: int) -> dict[str, float]:
    """In a process of its own: rank and return seconds and the peak memory."""
    from vidreid.metrics.ranking import rank

    rank(*problem(200, 2_000))  # loads and warms up
    arguments = problem(queries, items)
    before = peak_mb()
    start = time.perf_counter()
    result = rank(*arguments)
    seconds = time.perf_counter() - start
    return {
        "minutes": seconds / 60,
        "seconds_per_billion_pairs": seconds / (queries * items / 1e9),
        "peak_mb": peak_mb(),
        "peak_mb_beside_features": peak_mb() - before,
        "mAP": result.mean_ap,
        "queries": result.queries_counted,
        "queries_tied": result.queries_tied,
    }


def run(sizes: Sequence[tuple[int, int]] = SIZES) -> dict[str, Any]:
    """Measure all sizes.

    Returns:
        The largest over the smallest number of seconds for a billion pairs, and the figures of every size.
    """
    limits = {f"{library}_NUM_THREADS": str(THREADS) for library in ("OMP", "MKL", "OPENBLAS")}
    figures = {}
    for queries, items in sizes:
        command = [sys.executable, str(Path(__file__).resolve()), "measure", f"{queries}x{items}"]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | limits)
        figures[f"{queries} x {items}"] = json.loads(done.stdout)
    rates = [figure["seconds_per_billion_pairs"] for figure in figures.values()]
    return {
        "size": f"descriptors of {WIDTH} float32, {THREADS} threads",
        "slowest_over_fastest_pair": max(rates) / min(rates),
        "sizes": figures,
    }


def main(arguments: Sequence[str]) -> None:
    sizes = [tuple(int(number) for number in size.split("x")) for size in arguments if size != "measure"]
    if arguments[:1] == ["measure"]:
        print(json.dumps(measure(*sizes[0])))
    else:
        print(json.dumps(run(sizes or SIZES), indent=2))  # pyright: ignore[reportArgumentType]


if __name__ == "__main__":
    main(sys.argv[1:])
