"""Clips of tracklets for the tests of the metric, and one process of its distributed test."""

import itertools
import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from vidreid.metrics.reid import ReidMetric

CLIPS = 101
SEGMENTS = (8, 4, 4)
ANSWERS = ("any", "other_outfit")
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


def share(rank: int, world: int, case: str) -> list[int]:
    """Clips that a process sees: round robin, padded to equal length with the first clips, or all but few."""
    if case == "padded":
        length = -(-CLIPS // world)
        return [(rank + k * world) % CLIPS for k in range(length)]
    if case == "few":
        return [4] if rank == world - 1 and world > 1 else list(range(rank, CLIPS, max(world - 1, 1)))
    return [] if rank == world - 1 and world > 1 else list(range(rank, CLIPS, max(world - 1, 1)))


def evaluate(metric: ReidMetric, rows: list[int], batch: int = 7) -> dict[str, float]:
    """Scores of some clips, with their outfits, and with what they show if the metric knows segments."""
    everything = [*clips(), None if metric.segments is None else visible_segments(), outfits()]
    for start in range(0, len(rows), batch):
        metric.update(*[None if x is None else x[rows[start : start + batch]] for x in everything])
    return {name: value.item() for name, value in metric.compute().items()}


def main(rank: int, meeting: str, out: Path) -> None:
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=3)
    groups = {world: dist.new_group(list(range(world))) for world in (1, 2, 3)}
    results = {}
    for world, group in groups.items():
        if rank >= world:
            continue
        for case, visible, answers in itertools.product(("padded", "few", "none"), (False, True), ANSWERS):
            metric = make_metric(visible, answers=answers)
            metric.process_group = group
            scores = evaluate(metric, share(rank, world, case))
            aps = metric.result().average_precisions.nan_to_num(-1).tolist()
            total = metric.descriptors().features.double().sum().item()
            results[f"{case} {world} {visible} {answers}"] = [scores, aps, total]
    out.write_text(json.dumps(results))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
