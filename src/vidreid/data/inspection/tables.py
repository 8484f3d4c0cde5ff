"""What the tables of a benchmark say: counts, and what is wrong before a frame is read."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.benchmark import Benchmark
from vidreid.data.inspection.findings import Finding, number
from vidreid.data.mars_format import DISTRACTOR_PID, JUNK_PID
from vidreid.data.protocols import find_protocol
from vidreid.data.tracklets import column


def counts_of(table: pd.DataFrame, clip_length: int) -> dict[str, Any]:
    """Count what a table holds.

    Args:
        table: A tracklet table.
        clip_length: Frames of a clip.
    """
    lengths = column(table, "stop") - column(table, "start")
    some = len(lengths) > 0
    return {
        "tracklets": len(table),
        "identities": len(np.unique(column(table, "pid"))),
        "frames": int(lengths.sum()),
        "cameras": len(np.unique(column(table, "camera"))),
        "length": {
            "min": int(lengths.min()) if some else None,
            "mean": round(float(lengths.mean()), 1) if some else None,
            "median": float(np.median(lengths)) if some else None,
            "max": int(lengths.max()) if some else None,
        },
        "shorter_than_clip": int((lengths < clip_length).sum()),
        "clip_length": clip_length,
    }


def cameras_per_identity(table: pd.DataFrame) -> dict[int, int]:
    """Return how many identities are seen by 1, 2, ... cameras."""
    cameras, identities = np.unique(_cameras_seen_by(table)[1], return_counts=True)
    return dict(zip(cameras.tolist(), identities.tolist(), strict=True))


def asked(benchmark: Benchmark, protocol: str) -> pd.DataFrame:
    """Return the test tracklets, asking or searched, of the identities that a query asks for."""
    query, gallery = benchmark.query(protocol), benchmark.gallery(protocol)
    used = benchmark.test.loc[benchmark.test.index.isin(query.index.union(gallery.index))]
    return used.loc[used["pid"].isin(query["pid"])]


def unanswered(benchmark: Benchmark, protocol: str) -> NDArray[np.int64]:
    """Return the rows of the test table that ask and have no answer: nobody of their identity is searched who
    was seen by another camera, in an outfit that the protocol asks for."""
    answers = find_protocol(protocol, benchmark.protocols).answers
    query, gallery = _seen(benchmark.query(protocol)), _seen(benchmark.gallery(protocol))
    searched = gallery.loc[gallery["pid"] != JUNK_PID, ["pid", "camera", "outfit"]].drop_duplicates()
    pairs = query.merge(searched, on="pid", suffixes=("", "_found"))
    right = pairs["camera"] != pairs["camera_found"]
    if answers != "any":
        right &= (pairs["outfit"] == pairs["outfit_found"]) == (answers == "same_outfit")
    answered = pairs.loc[right, "row"]
    return query.loc[~query["row"].isin(answered), "row"].to_numpy(dtype=np.int64)


def distractors(benchmark: Benchmark, protocol: str) -> int:
    """Return how many tracklets are searched whose identity nobody asks for."""
    wanted = column(benchmark.query(protocol), "pid")
    return int((~np.isin(column(benchmark.gallery(protocol), "pid"), wanted)).sum())


def table_findings(benchmark: Benchmark, protocol: str, clip_length: int) -> list[Finding]:
    """Return what the tables show to be wrong.

    Args:
        benchmark: The benchmark.
        protocol: The name of the protocol to evaluate by.
        clip_length: Frames of a training clip.
    """
    findings: list[Finding] = []
    warning = find_protocol(protocol, benchmark.protocols).warning
    if warning:
        findings.append(Finding("wrong_protocol", "warning", warning.rstrip(".")))
    train, test = benchmark.train, benchmark.test
    shared = np.intersect1d(column(train, "pid"), column(test, "pid"))
    shared = shared[~np.isin(shared, [JUNK_PID, DISTRACTOR_PID])]
    if len(shared):
        what = f"{number(len(shared), 'identity', 'identities')} in training and in test"
        cure = "results will be too good, take them out of training"
        findings.append(Finding("shared_identities", "error", what, cure, [f"identity {p}" for p in shared]))
    identities = len(np.unique(column(train, "pid")))
    if identities == 0:
        what, cure = "There is nobody to train on", "the data can be evaluated on and searched"
        findings.append(Finding("evaluation_only", "warning", what, cure))
    elif identities < 2:
        what = f"Training has {number(identities, 'identity', 'identities')}"
        findings.append(Finding("few_identities", "error", what, "add people, one alone teaches nothing"))
    findings += _answers(benchmark, protocol)
    people, tracklets = np.unique(column(train, "pid"), return_counts=True)
    for code, own, words in (
        ("single_tracklet", tracklets, "one tracklet only"),
        ("single_camera", _cameras_seen_by(train)[1], "tracklets of one camera only"),
    ):
        few = people[own == 1].tolist()
        if few:
            what = f"{number(len(few), 'training identity has', 'training identities have')} {words}"
            findings.append(Finding(code, "note", what, "", [f"identity {pid}" for pid in few]))
    short = int((column(train, "stop") - column(train, "start") < clip_length).sum())
    if short:
        what = f"{number(short, 'training tracklet is', 'training tracklets are')} shorter than a clip of "
        what += number(clip_length, "frame")
        findings.append(Finding("short_tracklets", "note", what, "their frames are repeated"))
    return findings


def _answers(benchmark: Benchmark, protocol: str) -> list[Finding]:
    query, gallery = benchmark.query(protocol), benchmark.gallery(protocol)
    if len(query) == 0 or len(gallery) == 0:
        missing = "asks" if len(query) == 0 else "is searched"
        what = f"Under the protocol {protocol} no test tracklet {missing}"
        return [Finding("nothing_to_evaluate", "error", what, "mark queries in the lists of the data set")]
    rows = unanswered(benchmark, protocol)
    if len(rows) == 0:
        return []
    pids, cameras = column(benchmark.test, "pid"), column(benchmark.test, "camera")
    people, tracklets = np.unique(pids, return_counts=True)
    lonely = int(np.isin(pids[rows], people[tracklets == 1]).sum())
    what = f"{len(rows):,} of {number(len(query), 'query has', 'queries have')} no answer under {protocol}"
    if lonely:
        what += f", {lonely:,} of them the only tracklet of their identity"
    where = [f"identity {pids[row]} camera {cameras[row]}" for row in rows]
    if len(rows) == len(query):
        cure = "every query needs a gallery tracklet of its identity in another camera"
        return [Finding("unanswered_queries", "error", what, cure, where)]
    cure = "they are left out of the means unless metric.unanswered=zero"
    return [Finding("unanswered_queries", "warning", what, cure, where)]


def _cameras_seen_by(table: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the identities, ascending, and the number of cameras that see each."""
    pairs = np.unique(np.stack([column(table, "pid"), column(table, "camera")], axis=1), axis=0)
    return np.unique(pairs[:, 0], return_counts=True)


def _seen(table: pd.DataFrame) -> pd.DataFrame:
    """Return identity, camera and outfit of each row of a part of a table, and its ``row`` there."""
    columns = {name: column(table, name) for name in ("pid", "camera", "outfit")}
    return pd.DataFrame({"row": table.index.to_numpy(), **columns})
