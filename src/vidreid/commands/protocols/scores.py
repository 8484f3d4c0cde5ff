"""One set of descriptors ranked under each protocol."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from vidreid.data.mars_format import JUNK_PID
from vidreid.data.protocols import GALLERY_ROLE, QUERY_ROLE, Protocol
from vidreid.data.tracklets import column
from vidreid.metrics.average_precision import AveragePrecision
from vidreid.metrics.distances import Distance
from vidreid.metrics.legacy import legacy_frame_cameras
from vidreid.metrics.ranking import RankingResult, rank
from vidreid.metrics.tracklets import TrackletDescriptors


@dataclass(frozen=True)
class Described:
    """Descriptors of the test tracklets and what ranking them needs.

    Attributes:
        descriptors: One a tracklet, of all that some protocol uses.
        table: The test table, in its order.
        protocols: By name.
        frames_per_clip: Of the clips that were averaged; the legacy evaluation depends on it.
        told: What the table is about.
        distance: By which the gallery is ranked.
    """

    descriptors: TrackletDescriptors
    table: pd.DataFrame
    protocols: Mapping[str, Protocol]
    frames_per_clip: int
    told: str
    distance: Distance = "euclidean"


@dataclass(frozen=True)
class ProtocolScores:
    """What a protocol makes of descriptors; shares in [0, 1], NaN where no query counts.

    Attributes:
        gallery: Items that are searched.
        counted: Queries that the means run over.
        dropped: Queries without an answer in the gallery.
        tied: Queries with a right answer exactly as far as a wrong one.
        rank1: Share of queries whose first item is right.
        rank5: Share of queries with a right item among the first five.
        mean_ap: Mean average precision at hits.
        trapezoid: The same as MARS's MATLAB code computes it.
        mean_inp: Mean inverse negative penalty.
        mean_ap_of_all: ``mean_ap`` with dropped queries as zero.
        wrong: Whether the protocol is there to explain published numbers only.
    """

    gallery: int
    counted: int
    dropped: int
    tied: int
    rank1: float
    rank5: float
    mean_ap: float
    trapezoid: float
    mean_inp: float
    mean_ap_of_all: float
    wrong: bool


def protocol_scores(described: Described) -> dict[str, ProtocolScores]:
    """Rank under every protocol, in their order."""
    return {name: _scores(described, protocol) for name, protocol in described.protocols.items()}


def _scores(described: Described, protocol: Protocol) -> ProtocolScores:
    hits = ranked_under(described, protocol)
    gallery = _rows(described, protocol, GALLERY_ROLE)
    pids = described.descriptors.pids[gallery]
    junk = int((pids == JUNK_PID).sum()) if protocol.junk == "ignored" else 0
    total = hits.queries_counted + hits.queries_dropped
    return ProtocolScores(
        gallery=len(gallery) - junk,
        counted=hits.queries_counted,
        dropped=hits.queries_dropped,
        tied=hits.queries_tied,
        rank1=float(hits.cmc[0]),
        rank5=float(hits.cmc[4]),
        mean_ap=hits.mean_ap,
        trapezoid=ranked_under(described, protocol, "trapezoid").mean_ap,
        mean_inp=hits.mean_inp,
        mean_ap_of_all=float(hits.average_precisions.nansum()) / total if total else torch.nan,
        wrong=protocol.warning is not None,
    )


def ranked_under(
    described: Described, protocol: Protocol, average_precision: AveragePrecision = "hits"
) -> RankingResult:
    """Rank the descriptors under one protocol.

    Args:
        described: The descriptors.
        protocol: Says who asks, who is searched and what counts.
        average_precision: ``hits`` or ``trapezoid``.
    """
    of = described.descriptors
    query, gallery = (_rows(described, protocol, role) for role in (QUERY_ROLE, GALLERY_ROLE))
    return rank(
        of.features[query],
        of.features[gallery],
        of.pids[query],
        of.pids[gallery],
        _cameras(described, protocol, query),
        _cameras(described, protocol, gallery),
        distance=described.distance,
        average_precision=average_precision,
        junk_pid=JUNK_PID if protocol.junk == "ignored" else None,
        segments=of.segments,
        query_visible=None if of.visible is None else of.visible[query],
        gallery_visible=None if of.visible is None else of.visible[gallery],
        query_outfits=None if of.outfits is None else of.outfits[query],
        gallery_outfits=None if of.outfits is None else of.outfits[gallery],
        answers=protocol.answers,
    )


def _rows(described: Described, protocol: Protocol, role: int) -> Tensor:
    """Rows of the descriptors that play a role, in the order of the table."""
    playing = (protocol.roles(described.table) & role) > 0
    wanted = torch.from_numpy(column(described.table, "tracklet")[playing]).to(
        described.descriptors.tracklets
    )
    ordered, order = described.descriptors.tracklets.sort()
    place = torch.searchsorted(ordered, wanted).clamp(max=max(len(ordered) - 1, 0))
    missing = wanted[ordered[place] != wanted] if len(ordered) else wanted
    if len(missing):
        raise ValueError(
            f"{len(missing)} test tracklets were not described, the first is {int(missing[0])}: a part of "
            "the gallery makes no ranking, so leave limits out."
        )
    return order[place]


def _cameras(described: Described, protocol: Protocol, rows: Tensor) -> Tensor:
    of = described.descriptors
    if protocol.cameras == "tracklets":
        return of.cameras[rows]
    assert of.clips is not None
    return legacy_frame_cameras(of.cameras[rows], of.clips[rows], described.frames_per_clip)
