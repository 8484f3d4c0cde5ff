"""The same file in two places where there should be two pictures."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidreid.data.inspection.findings import Finding, number
from vidreid.data.inspection.frame_findings import constant
from vidreid.data.inspection.frame_record import READ
from vidreid.data.inspection.frame_uses import FrameUses, SplitUses
from vidreid.data.mars_format import JUNK_PID


class Pair(NamedTuple):
    """Two frames that show the same picture.

    Attributes:
        first: Number of a frame; across splits that of the training frame.
        second: Number of another; across splits that of the test frame.
    """

    first: int
    second: int


class Duplicates(NamedTuple):
    """Pairs of identical or alike frames.

    Attributes:
        across: A frame of training and one of test.
        inside: Two frames of one split whose identities differ.
    """

    across: list[Pair]
    inside: list[Pair]


def comparable(uses: SplitUses, records: NDArray[np.void]) -> SplitUses:
    """Return the uses whose frames were read and show something."""
    return uses.where(((records["state"] == READ) & ~constant(records))[uses.frames])


def identical_frames(uses: FrameUses, records: NDArray[np.void]) -> Duplicates:
    """Find frames whose files have the same bytes.

    Frames of one colour are left out, and junk among its own split: it may hold anybody.

    Args:
        uses: Who uses the frames.
        records: What they are like.

    Returns:
        For each test frame the first training frame of the same bytes; and inside a split for each frame the
        first one of the same bytes, if that is of another identity.
    """
    train, test = comparable(uses.train, records), comparable(uses.test, records)
    digests, first = np.unique(records["digest"][train.frames], return_index=True)
    frames = np.unique(test.frames)
    place = np.minimum(np.searchsorted(digests, records["digest"][frames]), max(len(digests) - 1, 0))
    same = digests[place] == records["digest"][frames] if len(digests) else np.zeros(len(frames), bool)
    ours, theirs = train.frames[first[place[same]]], frames[same]
    across = [Pair(*pair) for pair in zip(ours.tolist(), theirs.tolist(), strict=True)]
    inside = [pair for split in (train, test) for pair in _inside(split, records)]
    return Duplicates(across, inside)


def _inside(uses: SplitUses, records: NDArray[np.void]) -> list[Pair]:
    uses = uses.where(uses.pids != JUNK_PID)
    order = np.argsort(records["digest"][uses.frames], kind="stable")
    digest, pid, frame = records["digest"][uses.frames][order], uses.pids[order], uses.frames[order]
    new = np.concatenate([[True], digest[1:] != digest[:-1]])[: len(digest)]
    leader = np.maximum.accumulate(np.where(new, np.arange(len(digest)), 0))
    other = pid != pid[leader]
    return sorted(
        {Pair(int(a), int(b)) for a, b in zip(frame[leader[other]], frame[other], strict=True)},
        key=lambda pair: pair.second,
    )


def duplicate_findings(uses: FrameUses, identical: Duplicates, alike: Duplicates) -> list[Finding]:
    """Say what was found.

    Args:
        uses: Paths of the frames.
        identical: Frames of the same bytes.
        alike: Frames that show the same picture, encoded anew.
    """

    def places(pairs: list[Pair]) -> list[str]:
        return [f"{uses.path(pair.first)} = {uses.path(pair.second)}" for pair in pairs]

    findings: list[Finding] = []
    if identical.across:
        count = number(len({pair.second for pair in identical.across}), "test frame")
        what, cure = f"{count} also in training", "results will be too good, take them out of training"
        findings.append(Finding("duplicates_train_test", "error", what, cure, places(identical.across)))
    if alike.across:
        count = number(len({pair.second for pair in alike.across}), "test frame")
        what, cure = f"{count} nearly the same as one of training", "look at the picture and take copies out"
        findings.append(Finding("near_duplicates_train_test", "warning", what, cure, places(alike.across)))
    if identical.inside:
        what = f"{number(len(identical.inside), 'frame')} identical to one of another person"
        cure = "one of the two labels is wrong"
        findings.append(Finding("duplicates_identities", "warning", what, cure, places(identical.inside)))
    if alike.inside:
        what = f"{number(len(alike.inside), 'frame')} nearly the same as one of another person"
        cure = "look at the picture: one of the two labels may be wrong"
        findings.append(Finding("near_duplicates_identities", "warning", what, cure, places(alike.inside)))
    return findings
