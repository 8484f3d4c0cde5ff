"""Data sets of clips: random ones for training, a flat list of all clips for evaluation."""

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from vidreid.data.batch import ClipBatch
from vidreid.data.clips import check_sampling, clip_count, evaluation_clip, training_clip
from vidreid.data.protocols import GALLERY_ROLE, QUERY_ROLE
from vidreid.data.reading import ClipReader
from vidreid.data.samplers import Draw
from vidreid.data.tracklets import column, training_labels
from vidreid.data.transforms import ClipTransform


class Clip(NamedTuple):
    """One clip on its way into a batch: the fields of ``ClipBatch`` without the first axis."""

    images: Tensor
    keypoints: Tensor | None
    pid: int
    camera: int
    tracklet: int
    clip: int
    role: int
    erased: Tensor | None = None
    outfit: int = 0


# From pid to role.
_NUMBERS = slice(2, 7)


class TrainClips(Dataset[Clip]):
    """A random clip of a tracklet for each ``Draw``; identities become labels 0..C-1."""

    def __init__(
        self,
        table: pd.DataFrame,
        reader: ClipReader,
        transform: ClipTransform,
        clip_length: int = 8,
        sampling: str = "segment_random",
    ) -> None:
        """Set up the data set.

        Args:
            table: Tracklet table.
            reader: Reads the frames that the table points into.
            transform: Makes the network's input.
            clip_length: Frames of a clip ``T``.
            sampling: How frames are chosen.

        Raises:
            ValueError: If there is no such sampling.
        """
        check_sampling(sampling)
        self.reader, self.transform, self.clip_length, self.sampling = (
            reader,
            transform,
            clip_length,
            sampling,
        )
        self.labels = training_labels(table)
        self.cameras, self.tracklets = column(table, "camera"), column(table, "tracklet")
        self.outfits = column(table, "outfit")
        self.starts, self.stops = column(table, "start"), column(table, "stop")

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Draw) -> Clip:
        """Make the clip of a draw: a pure function of it."""
        row, seed = index
        generator = random.Random(seed)
        length = int(self.stops[row] - self.starts[row])
        rows = self.starts[row] + training_clip(self.sampling, length, self.clip_length, generator)
        images, keypoints, erased = _input(self.reader, self.transform, rows, generator.getrandbits(63))
        label, camera = int(self.labels[row]), int(self.cameras[row])
        tracklet, outfit = int(self.tracklets[row]), int(self.outfits[row])
        return Clip(images, keypoints, label, camera, tracklet, -1, 0, erased, outfit)


class EvaluationClips(Dataset[Clip]):
    """The flat list of clips of all tracklets that play a part.

    A long tracklet is many entries of ``T`` frames, so that a batch has the same size whatever the tracklets;
    the metric pools the clips of a tracklet.

    With image queries a query is the middle frame of its tracklet, repeated to ``T`` frames so that every
    network takes it. A tracklet that asks and is searched then comes twice: whole, with role 2, and after all
    that is searched as an image, with role 1. So the gallery has the same entries in the same order as ever.

    Attributes:
        roles: ``(n,)`` role of each tracklet, which comes twice as said above; ``pids`` and others likewise.
        rows: ``(entries,)`` which of these ``n`` an entry belongs to.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        roles: NDArray[np.int64],
        reader: ClipReader,
        transform: ClipTransform,
        clip_length: int = 8,
        sampling: str = "evenly",
        max_clips: int | None = None,
        *,
        image_queries: bool = False,
    ) -> None:
        """List the clips.

        Args:
            table: Tracklet table.
            roles: ``(n,)`` role of each row; those of role 0 are left out.
            reader: Reads the frames that the table points into.
            transform: Makes the network's input.
            clip_length: Frames of a clip ``T``.
            sampling: ``evenly``, ``released_evenly`` and ``consecutive`` give one clip, the dense ones all.
            max_clips: At most so many clips of a tracklet under a dense sampling.
            image_queries: Queries are single frames.

        Raises:
            ValueError: If there is no such sampling, or it is random.
        """
        check_sampling(sampling, evaluation=True)
        self.reader, self.transform, self.clip_length, self.sampling = (
            reader,
            transform,
            clip_length,
            sampling,
        )
        parts = (roles & GALLERY_ROLE, roles & QUERY_ROLE) if image_queries else (roles,)
        used = np.concatenate([np.flatnonzero(part) for part in parts])
        self.roles = np.concatenate([part[part > 0] for part in parts])
        self.pids, self.cameras = column(table, "pid")[used], column(table, "camera")[used]
        self.tracklets, self.outfits = column(table, "tracklet")[used], column(table, "outfit")[used]
        self.starts, self.stops = column(table, "start")[used], column(table, "stop")[used]
        if image_queries:  # a tracklet of one frame, which every sampling repeats
            asks = self.roles == QUERY_ROLE
            self.starts[asks] += (self.stops - self.starts)[asks] // 2
            self.stops[asks] = self.starts[asks] + 1
        lengths = (self.stops - self.starts).tolist()
        counts = np.array([clip_count(sampling, n, clip_length, max_clips) for n in lengths], dtype=np.int64)
        # Entry e is clip number positions[e] of the tracklet in rows[e].
        self.rows = np.repeat(np.arange(len(counts)), counts)
        self.positions = np.arange(len(self.rows)) - np.repeat(np.cumsum(counts) - counts, counts)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Clip:
        """Make entry ``index``; nothing about it is random."""
        row = self.rows[index]
        length = int(self.stops[row] - self.starts[row])
        chosen = evaluation_clip(self.sampling, length, self.clip_length, int(self.positions[index]))
        images, keypoints, _ = _input(self.reader, self.transform, self.starts[row] + chosen, seed=0)
        pid, camera, tracklet = int(self.pids[row]), int(self.cameras[row]), int(self.tracklets[row])
        role, outfit = int(self.roles[row]), int(self.outfits[row])
        return Clip(images, keypoints, pid, camera, tracklet, clip=index, role=role, outfit=outfit)


def collate_clips(clips: Sequence[Clip]) -> ClipBatch:
    """Stack clips to a batch (into shared memory when in a loader process)."""
    keypoints = [clip.keypoints for clip in clips if clip.keypoints is not None]
    erased = [clip.erased for clip in clips if clip.erased is not None]
    numbers = torch.tensor([clip[_NUMBERS] for clip in clips], dtype=torch.int64)
    return ClipBatch(
        default_collate([clip.images for clip in clips]),
        torch.stack(keypoints) if keypoints else None,
        *(part.contiguous() for part in numbers.unbind(1)),
        erased=torch.stack(erased) if erased else None,
        outfits=torch.tensor([clip.outfit for clip in clips], dtype=torch.int64),
    )


def _input(
    reader: ClipReader, transform: ClipTransform, rows: NDArray[np.int64], seed: int
) -> tuple[Tensor, Tensor | None, Tensor]:
    planes, keypoints, erased = transform(*reader.read(rows), seed)
    points = None if keypoints is None else torch.from_numpy(keypoints)
    return torch.from_numpy(planes), points, torch.from_numpy(erased)
