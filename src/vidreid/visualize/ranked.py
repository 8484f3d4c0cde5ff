"""From descriptors to ranked strips, under the rules of the evaluation."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from vidreid.data.frames import read_frame
from vidreid.data.tracklets import FrameList
from vidreid.metrics.distances import Distance
from vidreid.metrics.matches import Answers, MatchFinder
from vidreid.metrics.top_matches import top_matches
from vidreid.metrics.tracklets import GALLERY, QUERY, TrackletDescriptors
from vidreid.visualize.palette import Frame
from vidreid.visualize.strips import RankedRow, Strip

FramesOf = Callable[[int], Sequence[Frame]]


def ranked_rows(
    descriptors: TrackletDescriptors,
    frames_of: FramesOf,
    queries: int | Sequence[int] = 5,
    k: int = 8,
    *,
    distance: Distance = "euclidean",
    junk_pid: int | None = -1,
    answers: Answers = "any",
    person_names: Mapping[int, str] | None = None,
    camera_names: Mapping[int, str] | None = None,
    query_frames_of: FramesOf | None = None,
) -> list[RankedRow]:
    """Look up the nearest gallery tracklets of some queries, ignored ones left out as in the evaluation.

    Args:
        descriptors: All tracklets (``ReidMetric.descriptors()``).
        frames_of: Gives some frames of a tracklet by its number.
        queries: Tracklet numbers of queries; or how many, spread evenly over the queries that have an answer
            (so that nobody picks the pretty ones).
        k: Found tracklets a query.
        distance: ``euclidean`` (squared) or ``cosine``, as in the evaluation.
        junk_pid: Identity that is left out.
        answers: Which outfits answer a query, as in the evaluation.
        person_names: What captions call people, by ``pid``; others are called by their numbers.
        camera_names: The same for cameras.
        query_frames_of: Gives the frames of a query, where these are not those of its tracklet.

    Returns:
        Rows for :func:`~vidreid.visualize.strips.ranked_strips`; empty if no query has an answer.

    Raises:
        ValueError: If a number is not a query's.
    """
    facts = partial(_caption, people=person_names or {}, cameras=camera_names or {})
    query, gallery = descriptors.having(QUERY), descriptors.having(GALLERY)
    numbers = spread_queries(descriptors, queries, answers) if isinstance(queries, int) else queries
    rows = _rows_of(query, numbers)
    found, distances = top_matches(
        query.features[rows],
        gallery.features,
        query.pids[rows],
        gallery.pids,
        query.cameras[rows],
        gallery.cameras,
        k,
        distance=distance,
        junk_pid=junk_pid,
        segments=descriptors.segments,
        query_visible=None if query.visible is None else query.visible[rows],
        gallery_visible=gallery.visible,
        query_outfits=None if query.outfits is None else query.outfits[rows],
        gallery_outfits=gallery.outfits,
        answers=answers,
    )
    if distance == "euclidean":
        distances = distances.sqrt()
    ranked = []
    for row, items, values in zip(rows.tolist(), found.cpu(), distances.cpu(), strict=True):
        items, values = items[items >= 0], values[items >= 0]
        strips = [
            Strip(
                frames_of(int(gallery.tracklets[item])),
                (facts(gallery, int(item)), f"distance {value:.3f}"),
            )
            for item, value in zip(items, values, strict=True)
        ]
        right = [bool(gallery.pids[item] == query.pids[row]) for item in items]
        asking = Strip((query_frames_of or frames_of)(int(query.tracklets[row])), (facts(query, row),))
        ranked.append(RankedRow(asking, strips, right))
    return ranked


def spread_queries(descriptors: TrackletDescriptors, count: int, answers: Answers = "any") -> list[int]:
    """Return the tracklet numbers of ``count`` queries, spread evenly over those that have an answer.

    Args:
        descriptors: All tracklets; what their descriptors are plays no part.
        count: Queries wanted; there may be fewer.
        answers: Which outfits answer a query.
    """
    query, gallery = descriptors.having(QUERY), descriptors.having(GALLERY)
    find = MatchFinder(gallery.pids, gallery.cameras, None, gallery.outfits, answers)
    matches = find(query.pids, query.cameras, query.outfits)
    answered = query.tracklets[matches.queries[matches.counts].unique()].tolist()
    picked = middles(len(answered), min(count, len(answered))) if answered else []
    return [answered[i] for i in picked]


def frames_reader(table: pd.DataFrame, frames: FrameList, count: int = 3) -> FramesOf:
    """Return a function that reads ``count`` frames of a tracklet, spread evenly over it.

    Args:
        table: Tracklet table.
        frames: What its ``start`` and ``stop`` point into.
        count: Frames a tracklet; a frame of a shorter tracklet comes repeatedly.
    """
    spans = table.set_index("tracklet")[["start", "stop"]]

    def frames_of(tracklet: int) -> list[Frame]:
        start, stop = (int(x) for x in spans.loc[tracklet])
        return [read_frame(frames, row) for row in start + middles(stop - start, count)]

    return frames_of


def middles(length: int, count: int) -> NDArray[np.int64]:
    """Middle frame of each of ``count`` equal parts of a tracklet."""
    return ((np.arange(count) + 0.5) * length / count).astype(np.int64)


def _caption(
    descriptors: TrackletDescriptors, row: int, people: Mapping[int, str], cameras: Mapping[int, str]
) -> str:
    pid, camera = int(descriptors.pids[row]), int(descriptors.cameras[row])
    person = "distractor" if pid == 0 else f"id {people.get(pid, pid)}"
    return f"{person} · camera {cameras.get(camera, camera)}"


def _rows_of(query: TrackletDescriptors, tracklets: Sequence[int]) -> torch.Tensor:
    place = {int(tracklet): row for row, tracklet in enumerate(query.tracklets)}
    unknown = [tracklet for tracklet in tracklets if tracklet not in place]
    if unknown:
        raise ValueError(f"Tracklet {unknown[0]} is no query of this evaluation.")
    return torch.tensor([place[tracklet] for tracklet in tracklets], dtype=torch.int64)
