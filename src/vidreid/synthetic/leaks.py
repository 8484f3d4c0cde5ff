"""Leak checks: what must tell nothing about who somebody is."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.data.mars_format import DISTRACTOR_PID
from vidreid.synthetic.baselines import part_colours
from vidreid.synthetic.plan import SIZES, plan_split
from vidreid.synthetic.scores import SplitReader
from vidreid.synthetic.tree import DESCRIPTION
from vidreid.synthetic.world import render_planned

Floats = NDArray[np.floating]
_ROWS = 64
"""Height at which tracklets are rendered again; their geometry does not depend on it."""


def file_features(split: SplitReader) -> dict[str, Floats]:
    """Return what can be read off without looking at pixels: ``(n, 1)`` file size and frame count."""
    sizes = [np.mean([path.stat().st_size for path in split.paths(row)]) for row in range(len(split))]
    return {
        "file size": np.array(sizes)[:, None],
        "frame count": (split.stops - split.starts).astype(float)[:, None],
    }


def background_features(root: Path) -> Floats:
    """Colours of everything but the target, ``(n, 36)``: mean and spread of six stripes.

    The tracklets are rendered again from the seed, because only the renderer knows the exact outline.
    """
    told = json.loads((root / DESCRIPTION).read_text())
    plan = plan_split(told["seed"], "test", SIZES[told["size"]])
    rows = []
    for track in plan.tracks:
        rendered = render_planned(told["seed"], track, plan, _ROWS, keep_pixels=True)
        assert rendered.pixels is not None
        assert rendered.person is not None
        values = []
        wide = (
            np.stack([cv2.dilate(m.astype(np.uint8), np.ones((7, 7), np.uint8)) for m in rendered.person])
            == 0
        )
        for stripe in np.array_split(np.arange(_ROWS), 6):
            outside = rendered.pixels[:, stripe][wide[:, stripe]]
            outside = outside if len(outside) else rendered.pixels[:, stripe].reshape(-1, 3)
            values += [outside.mean(0), outside.std(0)]
        rows.append(np.concatenate(values))
    return np.stack(rows)


def permuted_features(root: Path, seed: int = 0) -> Floats:
    """Part colours of the same tracklets worn by the wrong people, ``(n, 27)``.

    Every tracklet keeps its number, camera, path, boxes and light, but shows a random identity. What is still
    recognised then is not the person.
    """
    told = json.loads((root / DESCRIPTION).read_text())
    plan = plan_split(told["seed"], "test", SIZES[told["size"]])
    people = list(plan.identities.values())
    rng = np.random.default_rng(seed)
    rows = []
    for track in plan.tracks:
        who = track.identity if track.pid <= DISTRACTOR_PID else people[int(rng.integers(len(people)))]
        rendered = render_planned(told["seed"], replace(track, identity=who), plan, _ROWS, keep_pixels=True)
        assert rendered.pixels is not None
        rows.append(part_colours(rendered.pixels, rendered.true.astype(np.float64)))
    return np.stack(rows)
