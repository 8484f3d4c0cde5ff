"""How many tracklets, people and frames a data set in MARS format has, and what of MARS is published."""

from collections import Counter

import numpy as np
import pandas as pd

from vidreid.data.mars_format import DISTRACTOR_PID, JUNK_PID
from vidreid.data.protocols import GALLERY_ROLE, PROTOCOLS
from vidreid.data.tracklets import column

MARS_COUNTS: dict[str, int] = {
    "train tracklets": 8298,
    "train identities": 625,
    "train frames": 509_914,
    "test tracklets": 12_180,
    "test identities": 634,
    "test frames": 681_089,
    "junk tracklets": 870,
    "distractor tracklets": 3248,
    "tracklets of test identities": 8062,
    "queries": 1980,
    "query identities": 626,
    "gallery under official": 11_310,
    "gallery under junk_as_wrong": 12_180,
    "gallery under queries_removed": 9330,
    "gallery under no_distractors": 6082,
    "queries without an answer under queries_removed": 140,
    "cameras": 6,
}
"""Counts of MARS from its own metadata; the test identities leave out junk and distractors."""


def mars_counts(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, int]:
    """Count what ``MARS_COUNTS`` counts, and tracklets, identities and frames of both splits together.

    Args:
        train: The training table.
        test: The test table.
    """
    pid, is_query = column(test, "pid"), test["is_query"].to_numpy(dtype=bool)
    real = (pid != JUNK_PID) & (pid != DISTRACTOR_PID)
    counts = {
        "train tracklets": len(train),
        "train identities": train["pid"].nunique(),
        "train frames": int((column(train, "stop") - column(train, "start")).sum()),
        "test tracklets": len(test),
        "test identities": len(np.unique(pid[real])),
        "test frames": int((column(test, "stop") - column(test, "start")).sum()),
        "junk tracklets": int((pid == JUNK_PID).sum()),
        "distractor tracklets": int((pid == DISTRACTOR_PID).sum()),
        "tracklets of test identities": int(real.sum()),
        "queries": int(is_query.sum()),
        "query identities": len(np.unique(pid[is_query])),
    }
    for name in ("official", "junk_as_wrong", "queries_removed", "no_distractors"):
        counts[f"gallery under {name}"] = int((PROTOCOLS[name].roles(test) & GALLERY_ROLE > 0).sum())
    counts["queries without an answer under queries_removed"] = _unanswered(test)
    counts["cameras"] = len(np.union1d(column(train, "camera"), column(test, "camera")))
    for what in ("tracklets", "frames"):
        counts[f"{what} in all"] = counts[f"train {what}"] + counts[f"test {what}"]
    counts["identities in all"] = len(np.union1d(column(train, "pid"), pid[real]))
    return counts


def _unanswered(test: pd.DataFrame) -> int:
    """Count the queries whose person no other camera has seen in the gallery without queries."""
    asked = test["is_query"].to_numpy(dtype=bool)
    seen = set(zip(column(test, "pid")[~asked], column(test, "camera")[~asked], strict=True))
    cameras = Counter(pid for pid, _ in seen)
    queries = zip(column(test, "pid")[asked], column(test, "camera")[asked], strict=True)
    return sum(cameras[pid] == ((pid, camera) in seen) for pid, camera in queries)
