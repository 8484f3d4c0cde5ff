"""Evaluation on a GPU: the size of MARS with everything there, and a large gallery sent from host memory.

MARS has 1,980 queries, 11,310 gallery tracklets and descriptors of 2,048 float32 values; the large gallery
has one million, 8.2 GB that never lie on the GPU as a whole. A turn is one call of ``rank``, which ends when
the scores are on the host. Before anything is timed, the scores are compared with those of the processor on
a part of the problem. Each part can be run alone.

Run as ``python benchmarks/evaluation_accelerator.py > evaluation.json``; ``--tiny`` runs it in seconds
anywhere.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from evaluation_scale import problem

from vidreid.metrics.ranking import RankingResult, rank

TARGET_MS = 50.0  # of the size of MARS
PARTS = ("mars", "streamed")


@dataclass(frozen=True)
class Size:
    """Size of a measurement.

    Attributes:
        queries: Number of queries.
        gallery: Items of the gallery that lies on the GPU.
        streamed: Items of the gallery in host memory.
        width: Values of a descriptor.
        turns: Measured calls; the large gallery takes one warm and one measured call.
    """

    queries: int = 1_980
    gallery: int = 11_310
    streamed: int = 1_000_000
    width: int = 2_048
    turns: int = 9


TINY = Size(40, 150, 700, 16, 2)


def equal(left: RankingResult, right: RankingResult) -> bool:
    """Whether two results agree in every bit."""
    pairs = ((left.average_precisions, right.average_precisions), (left.first_ranks, right.first_ranks))
    return all(torch.equal(a.nan_to_num(-1), b.nan_to_num(-1)) for a, b in pairs)


def timed(call: Callable[[], RankingResult], turns: int, device: torch.device) -> dict[str, Any]:
    """Seconds of some calls and the GPU memory that they take beside what lay there before."""
    call()
    on_gpu = device.type == "cuda"
    before = torch.cuda.memory_allocated(device) if on_gpu else 0
    if on_gpu:
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    seconds = []
    for _ in range(turns):
        start = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - start)
    peak = torch.cuda.max_memory_allocated(device) - before if on_gpu else None
    return {
        "median_ms": 1e3 * statistics.median(seconds),
        "best_ms": 1e3 * min(seconds),
        "gpu_peak_mib": None if peak is None else peak / 2**20,
        "mAP": result.mean_ap,
        "queries": result.queries_counted,
    }


def mars(size: Size, device: torch.device) -> dict[str, Any]:
    """Everything on the GPU."""
    arguments = [x.to(device) for x in problem(size.queries, size.gallery, size.width)]
    figures = timed(lambda: rank(*arguments), size.turns, device)
    return figures | {"target_ms": TARGET_MS}


def streamed(size: Size, device: torch.device) -> dict[str, Any]:
    """The gallery in host memory."""
    arguments = problem(size.queries, size.streamed, size.width)
    figures = timed(lambda: rank(*arguments, device=device), 1, device)
    gigabytes = arguments[1].nbytes / 1e9
    return figures | {
        "gallery_gb": gigabytes,
        "gb_per_second": gigabytes / figures["best_ms"] * 1e3,
        "seconds_per_billion_pairs": figures["best_ms"] / 1e3 / (size.queries * size.streamed / 1e9),
    }


def run(size: Size | None = None, parts: Sequence[str] = PARTS) -> dict[str, Any]:
    """Measure on the GPU, or without one on the processor.

    Returns:
        The setting, whether GPU and processor agree in every bit, and the figures of each part.

    Raises:
        AssertionError: If they do not agree.
    """
    size = size or Size()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    sample = problem(min(200, size.queries), min(3_000, size.gallery), size.width)
    if not equal(rank(*sample), rank(*sample, device=device)):
        raise AssertionError("GPU and processor rank differently.")
    measures = {"mars": mars, "streamed": streamed}
    return {
        "setting": {
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "processor",
            "torch": torch.__version__,
            "mars": f"{size.queries} x {size.gallery} x {size.width} float32",
            "streamed": f"{size.queries} x {size.streamed} x {size.width} float32",
            "turns": size.turns,
        },
        "same_bits_as_processor": True,
        "parts": {name: measures[name](size, device) for name in parts},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Evaluation on a GPU, as JSON.")
    parser.add_argument("--tiny", action="store_true", help="a tiny size that runs without a GPU")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    given = parser.parse_args(arguments)
    if not given.tiny and not torch.cuda.is_available():
        print("This benchmark needs a GPU and torch sees none: use --tiny to try it out.", file=sys.stderr)
        return 1
    print(json.dumps(run(TINY if given.tiny else Size(), given.parts), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
