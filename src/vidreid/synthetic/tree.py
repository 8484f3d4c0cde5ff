"""What stands beside the crops: lists, tables, keypoints, visible shares and the description."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidreid.data.mars_format import frame_name, names_crc, write_info
from vidreid.files import write_whole
from vidreid.keypoints.store import write_keypoints
from vidreid.synthetic.crew import Observed
from vidreid.synthetic.plan import FOLDERS, PlannedTrack, SplitPlan, draw_queries

DESCRIPTION = "synthetic.json"


def track_names(track: PlannedTrack) -> list[str]:
    """Return the file names of a tracklet."""
    return [frame_name(track.pid, track.camera, track.tracklet, n + 1) for n in range(track.frames)]


def write_observed(folder: Path, split: str, plan: SplitPlan, observed: Sequence[Observed]) -> None:
    """Write both kinds of keypoints and the visible shares of a split."""
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


def write_info_of(folder: Path, plans: dict[str, SplitPlan], seed: int) -> None:
    """Write the name lists, the tables of tracklets and the queries."""
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


def describe(folder: Path, plans: dict[str, SplitPlan], identity: dict[str, str | int]) -> None:
    """Write ``synthetic.json``: what was asked for, and who is who."""
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
