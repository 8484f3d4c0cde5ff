"""Clips of tracklets for the tests of the metric, and the processes of its distributed test."""

import itertools
import json
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.distributed as dist

from vidreid.metrics.reid import ReidMetric

CLIPS = 101
SEGMENTS = (8, 4, 4)
WORLDS = (1, 2, 3, 4)
CASES = ("padded", "few", "none", "uneven", "repeated")
SETTINGS = ((False, "any"), (True, "other_outfit"), (False, "other_outfit"), (True, "any"))
"""Whether parts may not show, and which outfits answer."""
COMBINATIONS = [
    (case, *setting) for case in CASES for setting in (SETTINGS if case == "padded" else SETTINGS[:2])
]
WEIGHTS = (6.0, 1.5, 4.5)


def clips():
    """Arguments of ``update`` for all clips: tracklets of 1 to 4 clips, junk, distractors, all roles."""
    make = torch.Generator().manual_seed(7)
    lengths = torch.randint(1, 5, (60,), generator=make)
    lengths = lengths[lengths.cumsum(0) <= CLIPS]
    lengths[-1] += CLIPS - lengths.sum()
    count = len(lengths)
    pids = torch.randint(-1, 6, (count,), generator=make)
    cameras = torch.randint(1, 4, (count,), generator=make)
    roles = torch.where((torch.rand(count, generator=make) < 0.4) & (pids > 0), 3, 2)
    roles[5] = 0
    tracklets = (torch.arange(count) * 3 + 10).repeat_interleave(lengths)
    centres = torch.randn(8, 16, generator=make)
    facts = [x.repeat_interleave(lengths) for x in (pids, cameras, roles)]
    features = centres[facts[0]] + 1.5 * torch.randn(CLIPS, 16, generator=make)
    return [features, torch.arange(CLIPS), tracklets, *facts]


def visible_segments():
    """What each clip shows: the first segment always, the others in half of the clips."""
    shows = torch.rand(CLIPS, len(SEGMENTS), generator=torch.Generator().manual_seed(11)) < 0.5
    shows[:, 0] = True
    return shows


def outfits():
    """What each clip's tracklet wears: one of two outfits, from the tracklet's number."""
    return clips()[2] // 3 % 2


def make_metric(visible: bool, **options) -> ReidMetric:
    segments = {"segments": SEGMENTS, "segment_weights": WEIGHTS} if visible else {}
    return ReidMetric(CLIPS, **segments, **options)


def share(rank: int, world: int, case: str) -> list[list[int]]:
    """Batches of clips that a process sees.

    ``padded``: round robin, of equal length by repeats of the first clips, as the samplers do. ``few`` and
    ``none``: the last process has one clip or none. ``uneven``: each process has about half as many clips as
    the one before it, in batches of all sizes. ``repeated``: round robin, and half of the next process's
    clips besides, and the first batch twice.
    """
    others = max(world - 1, 1)
    if case == "padded":
        return batches([(rank + k * world) % CLIPS for k in range(-(-CLIPS // world))])
    if case in ("few", "none") and rank == world - 1 and world > 1:
        return [[4]] if case == "few" else []
    if case in ("few", "none"):
        return batches(range(rank, CLIPS, others))
    if case == "uneven":
        owners = [owner for owner in range(world) for _ in range(2 ** (world - 1 - owner))]
        return batches([c for c in range(CLIPS) if owners[c % len(owners)] == rank], [1, 9, 2 + rank, 4])
    own = batches(range(rank, CLIPS, world))
    return [*own, *batches(range((rank + 1) % world, CLIPS, 2 * world), [5]), own[0]]


def batches(rows: Sequence[int], sizes: Sequence[int] = (7,)) -> list[list[int]]:
    """Cut rows into batches whose sizes take turns."""
    rest, turn, found = list(rows), itertools.cycle(sizes), []
    while rest:
        size = next(turn)
        found.append(rest[:size])
        rest = rest[size:]
    return found


def evaluate(metric: ReidMetric, rows: list[list[int]]) -> dict[str, float]:
    """Scores of batches of clips, with their outfits, and with what shows if the metric knows segments."""
    everything = [*clips(), None if metric.segments is None else visible_segments(), outfits()]
    for batch in rows:
        metric.update(*[None if x is None else x[batch] for x in everything])
    return {name: value.item() for name, value in metric.compute().items()}


def main(rank: int, meeting: str, out: Path) -> None:
    last = WORLDS[-1]
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=last)
    groups = {world: dist.new_group(list(range(world))) for world in WORLDS}
    results = {}
    for world, group in groups.items():
        if rank >= world:
            continue
        for case, visible, answers in COMBINATIONS:
            metric = make_metric(visible, answers=answers)
            metric.process_group = group
            scores = evaluate(metric, share(rank, world, case))
            aps = metric.result().average_precisions.nan_to_num(-1).tolist()
            total = metric.descriptors().features.double().sum().item()
            results[f"{case} {world} {visible} {answers}"] = [scores, aps, total]
    out.write_text(json.dumps(results))
    dist.destroy_process_group()


if __name__ == "__main__":
    meeting, folder = sys.argv[1], Path(sys.argv[2])
    # Forked, so that one import serves all: it takes longer than everything else.
    fork = multiprocessing.get_context("fork")
    started = [
        fork.Process(target=main, args=(rank, meeting, folder / f"{rank}.json"), daemon=True)
        for rank in range(WORLDS[-1])
    ]
    for process in started:
        process.start()
    for process in started:
        process.join(timeout=120)  # one that waits for a dead one is ended with this process
    sys.exit(any(process.exitcode != 0 for process in started))
