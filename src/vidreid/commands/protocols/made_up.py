"""Made-up descriptors on the real metadata of MARS: what a protocol changes, without image or network."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from vidreid.commands.protocols.scores import Described
from vidreid.data.clips import dense_count
from vidreid.data.mars import MarsDataModule
from vidreid.data.mars_format import DISTRACTOR_PID
from vidreid.data.tracklets import column
from vidreid.metrics.tracklets import TrackletDescriptors

DIMENSIONS = 32
SEEN, NOISE = 0.7, 0.6
"""Strength of how a camera sees a person, and of noise, beside the person's own 1."""
FRAMES, MAX_CLIPS = 4, 41
"""Clips that the released evaluation takes of a tracklet; the camera mix-up depends on them."""


def describe_metadata(root: Path, draws: int) -> list[Described]:
    """Make descriptors up for the test tracklets of MARS.

    Args:
        root: The folder that holds ``info``.
        draws: How often; each has a seed of its own.

    Raises:
        MissingDataError: If the metadata is not there.
        ValueError: If there is no draw.
    """
    if draws < 1:
        raise ValueError(f"draws={draws}: at least one set of descriptors is needed.")
    benchmark = MarsDataModule(root, keypoints=None).benchmark
    lengths = column(benchmark.test, "stop") - column(benchmark.test, "start")
    clips = torch.tensor([dense_count(n, FRAMES, MAX_CLIPS) for n in lengths.tolist()])
    return [
        Described(
            descriptors=made_up_descriptors(benchmark.test, seed, clips),
            table=benchmark.test,
            protocols=benchmark.protocols,
            frames_per_clip=FRAMES,
            told="Made-up descriptors (person, how a camera sees the person, noise) on the metadata of MARS",
        )
        for seed in range(draws)
    ]


def made_up_descriptors(
    table: pd.DataFrame, seed: int, clips: torch.Tensor | None = None
) -> TrackletDescriptors:
    """Draw a descriptor a tracklet: the person, how this camera sees this person, and noise.

    Tracklets of a person in one camera so resemble one another more than those in two, which is what the
    rules about the query's own camera are for. Distractors and junk are a stranger each.

    Args:
        table: A test table.
        seed: Of the draw.
        clips: ``(n,)`` int64, how many clips each tracklet stands for.
    """
    make = np.random.default_rng(seed)
    pids, cameras = column(table, "pid"), column(table, "camera")
    people = make.normal(size=(pids.max() + 1, DIMENSIONS))[np.maximum(pids, 0)]
    strangers = pids <= DISTRACTOR_PID
    people[strangers] = make.normal(size=(strangers.sum(), DIMENSIONS))
    _, pair = np.unique(np.stack([pids, cameras]), axis=1, return_inverse=True)
    seen = make.normal(size=(pair.max() + 1, DIMENSIONS))[pair]
    features = people + SEEN * seen + NOISE * make.normal(size=people.shape)
    return TrackletDescriptors(
        features=torch.from_numpy(features.astype(np.float32)),
        tracklets=torch.from_numpy(column(table, "tracklet")),
        pids=torch.from_numpy(pids),
        cameras=torch.from_numpy(cameras),
        roles=torch.full((len(table),), 3),
        clips=clips,
    )
