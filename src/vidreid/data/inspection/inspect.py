"""The whole inspection of a benchmark."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidreid.data.datamodule import ReidDataModule
from vidreid.data.inspection.duplicates import Duplicates, duplicate_findings, identical_frames
from vidreid.data.inspection.findings import Finding, most_important_first, number
from vidreid.data.inspection.frame_findings import frame_findings
from vidreid.data.inspection.frame_uses import FrameUses, SplitUses, frame_uses
from vidreid.data.inspection.frames import look_at_frames
from vidreid.data.inspection.keypoint_findings import keypoint_findings
from vidreid.data.inspection.keypoints import KeypointCounts, count_keypoints
from vidreid.data.inspection.near_duplicates import alike_frames
from vidreid.data.inspection.tables import table_findings
from vidreid.data.keypoint_sources import KeypointSource
from vidreid.data.protocols import find_protocol
from vidreid.data.readers.notices import sentence_case
from vidreid.data.samplers import IdentitySampler, TrackletSampler
from vidreid.data.tracklets import column
from vidreid.errors import DataError

Splits = dict[str, KeypointSource]


@dataclass(frozen=True)
class Inspection:
    """What an inspection of a benchmark gives.

    Attributes:
        data: The data that were inspected.
        uses: Their frames.
        records: ``RECORD`` of every frame.
        identical: Frames of the same bytes.
        alike: Frames that show the same.
        keypoints: Counts of each split whose keypoints are read.
        sources: Their keypoints.
        findings: Most important first.
    """

    data: ReidDataModule
    uses: FrameUses
    records: NDArray[np.void]
    identical: Duplicates
    alike: Duplicates
    keypoints: dict[str, KeypointCounts]
    sources: Splits
    findings: list[Finding]

    @property
    def ready(self) -> bool:
        """Whether nothing was found that would make training or evaluation wrong."""
        return not any(finding.severity == "error" for finding in self.findings)


def inspect(
    data: ReidDataModule,
    limit: int | None = None,
    workers: int = 0,
    start: Callable[[int], None] = lambda frames: None,
    advance: Callable[[int], None] = lambda frames: None,
) -> Inspection:
    """Read a benchmark once and say what is wrong with it.

    Args:
        data: The benchmark with its protocol and keypoints.
        limit: Look at about so many frames, spread evenly, instead of all.
        workers: Processes that read frames.
        start: Told once how many frames will be looked at.
        advance: Told how many further frames have been.

    Raises:
        DataError: If the reader refuses the data.
        ValueError: If settings are wrong.
    """
    benchmark = data.benchmark
    uses = frame_uses(benchmark, limit)
    findings = [Finding("reader", "warning", _sentence(notice)) for notice in data.notices]
    findings += table_findings(benchmark, data.protocol, data.clip_length)
    findings += _training(data)
    sources, refused = _sources(data)
    findings += refused

    start(len(uses.looked_at))
    records = look_at_frames(uses, workers, advance)
    findings += frame_findings(uses, records, _needed(data, uses), data.on_bad_frame == "skip_frame")
    identical = identical_frames(uses, records)
    alike = alike_frames(uses, records, identical)
    findings += duplicate_findings(uses, identical, alike)
    keypoints = {
        split: count_keypoints(source, _looked_at(data, uses, split), records, data.joints)
        for split, source in sources.items()
    }
    for split, counts in keypoints.items():
        findings += keypoint_findings(split, counts, uses)
    if data.keypoints is not None and not data.test_keypoints:
        what = "Keypoints of the test split are not read (data.test_keypoints=false) and were not looked at"
        findings.append(Finding("test_keypoints", "note", what))
    if len(uses.looked_at) < uses.total:
        what = f"Only {len(uses.looked_at):,} of {number(uses.total, 'frame')} were looked at"
        findings.append(Finding("sample", "note", what, "leave out limit to look at all"))
    findings = most_important_first(findings)
    return Inspection(data, uses, records, identical, alike, keypoints, sources, findings)


def _sentence(notice: str) -> str:
    return sentence_case(notice).rstrip(".")


def _training(data: ReidDataModule) -> list[Finding]:
    """Try what training does first: hold identities back and draw batches."""
    if len(data.benchmark.train) == 0:
        return []
    try:
        table = data.train_table
    except ValueError as error:
        return [Finding("held_out", "error", _sentence(str(error)))]
    try:
        if data.sampler == "random":
            TrackletSampler(len(table), data.batch_size)
        else:
            IdentitySampler(column(table, "pid"), data.identities_per_batch, data.tracklets_per_identity)
    except ValueError as error:
        return [Finding("batches", "error", _sentence(str(error)))]
    return []


def _sources(data: ReidDataModule) -> tuple[Splits, list[Finding]]:
    sources: Splits = {}
    findings: list[Finding] = []
    if data.keypoints is None:
        return sources, findings
    wanted = {"train": data.train_split} if len(data.benchmark.train) else {}
    if data.test_keypoints:
        wanted["test"] = data.test_split
    for split, folder in wanted.items():
        try:
            sources[split] = data.keypoint_source(folder)
        except DataError as error:
            findings.append(Finding("keypoints_refused", "error", _sentence(str(error))))
    return sources, findings


def _used_in_test(data: ReidDataModule) -> NDArray[np.bool_]:
    """Tell which test tracklets play a part."""
    return find_protocol(data.protocol, data.benchmark.protocols).roles(data.benchmark.test) > 0


def _needed(data: ReidDataModule, uses: FrameUses) -> NDArray[np.int64]:
    return np.union1d(uses.train.frames, uses.test.frames[_used_in_test(data)[uses.test.tracklets]])


def _looked_at(data: ReidDataModule, uses: FrameUses, split: str) -> SplitUses:
    own = uses.train if split == "train" else uses.test.where(_used_in_test(data)[uses.test.tracklets])
    return own.where(np.isin(own.frames, uses.looked_at))
