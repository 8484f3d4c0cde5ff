"""Frames that cannot be read, have an odd size, or show nothing."""

import numpy as np
from numpy.typing import NDArray

from vidreid.data.inspection.findings import Finding, number
from vidreid.data.inspection.frame_record import DAMAGED, MISSING, READ
from vidreid.data.inspection.frame_uses import FrameUses, SplitUses

CONSTANT_CONTRAST = 2.0
"""Standard deviation in grey values below which a frame is of one colour; JPEG alone makes less than 1."""
GREY_COLOUR = 1.0
"""Mean distance of the channels in grey values below which a frame is grey."""
TINY = (24, 12)
"""Height and width below which a crop shows hardly anybody."""
_FAR = 3.0
_SPREADS = 6.0


def odd_sizes(records: NDArray[np.void]) -> NDArray[np.bool_]:
    """Tell which frames are tiny, lie on their side, or have a size far from that of the others.

    Far is three times as large or small as the median, and six times the usual spread, so that sets whose
    people stand near and far keep their own range.

    Args:
        records: ``(n,)`` of ``RECORD``.
    """
    read = records["state"] == READ
    if not read.any():
        return np.zeros(len(records), dtype=bool)
    height, width = records["height"], records["width"]
    odd = (height < TINY[0]) | (width < TINY[1])
    if np.median(height[read]) > np.median(width[read]):
        odd |= width > height
    for size in (height, width):
        logarithm = np.log(np.maximum(size, 1))
        median = np.median(logarithm[read])
        distance = np.abs(logarithm - median)
        spread = 1.4826 * np.median(distance[read])
        odd |= distance > max(np.log(_FAR), _SPREADS * spread)
    return odd & read


def constant(records: NDArray[np.void]) -> NDArray[np.bool_]:
    """Tell which frames are of one colour."""
    return (records["state"] == READ) & (records["contrast"] < CONSTANT_CONTRAST)


def grey(records: NDArray[np.void]) -> NDArray[np.bool_]:
    """Tell which frames show something, but no colour."""
    return (records["state"] == READ) & (records["colour"] < GREY_COLOUR) & ~constant(records)


def frame_findings(
    uses: FrameUses, records: NDArray[np.void], needed: NDArray[np.int64], skips_bad_frames: bool = False
) -> list[Finding]:
    """Return what is wrong with frames on their own.

    Args:
        uses: Paths of the frames.
        records: What they are like.
        needed: Numbers of the frames that training or evaluation reads.
        skips_bad_frames: Whether another frame of the clip stands in for one that cannot be read; for a
            tracklet without any there is none.
    """
    findings: list[Finding] = []
    is_needed = np.zeros(len(records), dtype=bool)
    is_needed[needed] = True
    unread = ((records["state"] == MISSING) | (records["state"] == DAMAGED)) & is_needed
    whole = any(_has_whole_tracklet(split, unread) for split in (uses.train, uses.test))
    for state, code, words, cure in (
        (MISSING, "missing_frames", "cannot be opened", "unpack the data set anew"),
        (DAMAGED, "damaged_frames", "is cut off or no image", "copy it again from a whole archive"),
    ):
        bad = records["state"] == state
        if not bad.any():
            continue
        words = words if bad.sum() == 1 else words.replace("is ", "are ").replace("no image", "no images")
        cure = cure if bad.sum() == 1 else cure.replace("copy it", "copy them")
        what = f"{number(int(bad.sum()), 'frame')} {words}"
        if not (bad & is_needed).any():
            what += "; the protocol uses none of their tracklets"
        error = (bad & is_needed).any() and (not skips_bad_frames or whole)
        findings.append(
            Finding(code, "error" if error else "warning", what, cure, uses.paths(np.flatnonzero(bad)))
        )
    findings += _odd(uses, records)
    blank = np.flatnonzero(constant(records))
    if len(blank):
        what = f"{number(len(blank), 'frame')} of one colour"
        findings.append(
            Finding("constant_frames", "warning", what, "delete or replace them", uses.paths(blank))
        )
    without = np.flatnonzero(grey(records))
    read = int((records["state"] == READ).sum())
    if len(without) + len(blank) == read and len(without):
        findings.append(Finding("grey_frames", "note", "All frames are grey"))
    elif len(without):
        what = f"{number(len(without), 'frame')} of {read:,} {'is' if len(without) == 1 else 'are'} grey"
        cure = "see whether they come from another source than the others"
        findings.append(Finding("grey_frames", "warning", what, cure, uses.paths(without)))
    return findings


def _has_whole_tracklet(split: SplitUses, frames: NDArray[np.bool_]) -> bool:
    """Tell whether all frames of some tracklet are among these."""
    return bool((np.bincount(split.tracklets, weights=~frames[split.frames]) == 0).any())


def _odd(uses: FrameUses, records: NDArray[np.void]) -> list[Finding]:
    odd = np.flatnonzero(odd_sizes(records))
    if len(odd) == 0:
        return []
    read = records[records["state"] == READ]
    middle = f"{np.median(read['height']):.0f}x{np.median(read['width']):.0f}"
    what = f"{number(len(odd), 'frame')} of an odd size (height x width; the median is {middle})"
    where = [f"{uses.path(int(f))} {records['height'][f]}x{records['width'][f]}" for f in odd]
    return [Finding("odd_sizes", "warning", what, "see whether the boxes are right", where)]
