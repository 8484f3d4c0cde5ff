"""Named ways of evaluating the same test tracklets: who asks, who is searched, what junk counts as.

With identical features the first four differ by about 5 points of rank-1 and 8 points of mAP on MARS, so a
number without its protocol says nothing. The last one is wrong and there to explain published numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.mars_format import DISTRACTOR_PID, JUNK_PID
from vidreid.data.tracklets import column

QUERY_ROLE = 1
"""Bit of a tracklet that asks."""
GALLERY_ROLE = 2
"""Bit of a tracklet that is searched."""


@dataclass(frozen=True)
class Protocol:
    """Which test tracklets play which part.

    Attributes:
        name: What configurations and results call it.
        summary: One sentence, with the gallery's size on MARS.
        queries_in_gallery: Whether query tracklets are searched as well.
        distractors: Whether identity 0 is searched.
        junk: Identity -1: ``ignored`` (neither right nor wrong, hence not in the gallery) or ``wrong``.
        cameras: Which cameras decide what is ignored: those of the ``tracklets``, or ``legacy_frames``, the
            mixed-up ones of a released evaluation (``vidreid.metrics.legacy``).
        answers: Which gallery items of the query's identity in another camera are right answers: ``any``,
            those in the query's outfit (``same_outfit``) or those in another (``other_outfit``). The rest are
            ignored.
        warning: A sentence that goes with every number of a protocol that is wrong; ``None`` for the others.
    """

    name: str
    summary: str
    queries_in_gallery: bool
    distractors: bool
    junk: Literal["ignored", "wrong"]
    cameras: Literal["tracklets", "legacy_frames"] = "tracklets"
    answers: Literal["any", "same_outfit", "other_outfit"] = "any"
    warning: str | None = None

    def roles(self, test: pd.DataFrame) -> NDArray[np.int64]:
        """Return the role of each test tracklet: the sum of 1 (query) and 2 (gallery); 0 means unused.

        Args:
            test: A tracklet table with ``pid`` and ``is_query``.
        """
        pid = column(test, "pid")
        is_query = test["is_query"].to_numpy(dtype=bool)
        in_gallery = np.ones(len(test), dtype=bool)
        if not self.queries_in_gallery:
            in_gallery &= ~is_query
        if not self.distractors:
            in_gallery &= pid != DISTRACTOR_PID
        if self.junk == "ignored":
            in_gallery &= pid != JUNK_PID
        return QUERY_ROLE * is_query.astype(np.int64) + GALLERY_ROLE * in_gallery.astype(np.int64)


def mars_protocols(
    title: str | None = None, galleries: Mapping[str, int] | None = None, unanswered: int | None = None
) -> dict[str, Protocol]:
    """Return the protocols in use for MARS and sets in its format.

    Args:
        title: Of the data set, for the summaries.
        galleries: Sizes of its galleries by protocol, where they are known.
        unanswered: How many queries have no answer under ``queries_removed``, where that is known.
    """

    def size(name: str, *more: str) -> str:
        facts = [f"gallery {galleries[name]:,}", *more] if galleries else []
        return f" ({title}: {'; '.join(facts)})" if facts else ""

    lost = [] if unanswered is None else [f"{unanswered} queries have no answer"]
    protocols = (
        Protocol(
            "official",
            f"Queries stay in the gallery and junk is ignored{size('official')}, as in the evaluation "
            "package of MARS; used by AP3D and others.",
            queries_in_gallery=True,
            distractors=True,
            junk="ignored",
        ),
        Protocol(
            "junk_as_wrong",
            "All test tracklets are searched and junk counts as a wrong answer" + size("junk_as_wrong") + ".",
            queries_in_gallery=True,
            distractors=True,
            junk="wrong",
        ),
        Protocol(
            "queries_removed",
            f"Queries leave the gallery, junk is ignored{size('queries_removed', *lost)}, as in torchreid "
            "and KeyRe-ID.",
            queries_in_gallery=False,
            distractors=True,
            junk="ignored",
        ),
        Protocol(
            "no_distractors",
            f"Queries, junk and distractors leave the gallery{size('no_distractors')}, as in KMPNet: easier "
            "than the others.",
            queries_in_gallery=False,
            distractors=False,
            junk="ignored",
        ),
    )
    return {protocol.name: protocol for protocol in protocols}


PROTOCOLS: dict[str, Protocol] = {
    **mars_protocols(
        "MARS",
        {"official": 11_310, "junk_as_wrong": 12_180, "queries_removed": 9330, "no_distractors": 6082},
        unanswered=140,
    ),
    "legacy_unfiltered": Protocol(
        "legacy_unfiltered",
        "Wrong, only to trace published numbers: the gallery of queries_removed (MARS: 9,330) under the "
        "camera mix-up of the released VID-Trans-ReID and KeyRe-ID, which leaves answers from the "
        "query's own camera in and drops queries.",
        queries_in_gallery=False,
        distractors=True,
        junk="ignored",
        cameras="legacy_frames",
        warning="These numbers are wrong, on MARS far too good: legacy_unfiltered repeats the camera "
        "mix-up of the released VID-Trans-ReID and KeyRe-ID, under which tracklets of the query's own "
        "camera count as right answers; compare them with nothing else.",
    ),
}
"""The protocols of MARS; the last one is wrong, and no other set has it."""


def find_protocol(name: str, protocols: dict[str, Protocol] = PROTOCOLS) -> Protocol:
    """Return the protocol of that name.

    Raises:
        ValueError: For another name; the sentence lists the choices.
    """
    if name not in protocols:
        raise ValueError(f"There is no protocol {name!r}: choose one of {', '.join(protocols)}.")
    return protocols[name]


def union_of(protocols: Mapping[str, Protocol]) -> Protocol:
    """Return a protocol under which all tracklets play that do under some protocol: for describing once.

    Args:
        protocols: By name, at least one.
    """
    every = list(protocols.values())
    return Protocol(
        "everybody",
        "All tracklets that some protocol uses; for describing them once, not for scores.",
        queries_in_gallery=any(protocol.queries_in_gallery for protocol in every),
        distractors=any(protocol.distractors for protocol in every),
        junk="wrong" if any(protocol.junk == "wrong" for protocol in every) else "ignored",
    )
