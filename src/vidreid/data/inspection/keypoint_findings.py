"""From counts of keypoints to what is wrong with them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from vidreid.data.inspection.findings import Finding, number, percent
from vidreid.data.inspection.frame_uses import FrameUses
from vidreid.data.inspection.keypoint_geometry import (
    AS_STORED,
    FRACTIONS,
    FROM_BELOW,
    REVERSED,
    XY_EXCHANGED,
)
from vidreid.data.inspection.keypoints import OUTSIDE_MARGIN, KeypointCounts

_FEW = 10
"""Frames or steps from which on a share means something."""
_UPRIGHT = 0.5
_CURED = 0.7
_COVERED = 0.7
_OUTSIDE = 0.1
_SWAPPED = 0.05
_FROZEN = 0.05
_STILL = 0.01

_CODES = {
    XY_EXCHANGED: "keypoints_xy_swapped",
    FRACTIONS: "keypoints_fractions",
    FROM_BELOW: "keypoints_upside_down",
    REVERSED: "keypoints_upside_down",
}


def keypoint_findings(split: str, counts: KeypointCounts, uses: FrameUses) -> list[Finding]:
    """Return what is wrong with the keypoints of a split.

    Args:
        split: ``train`` or ``test``, for the sentences.
        counts: What was counted.
        uses: Paths of the frames.
    """
    found: list[Finding] = []
    if counts.unreadable:
        many = number(len(counts.unreadable), f"{split} frame")
        what, cure = f"The keypoints of {many} cannot be read", "unpack or make them anew"
        where = uses.paths(np.array(counts.unreadable))
        found.append(Finding("keypoints_unreadable", "error", what, cure, where))
    if counts.frames == 0:
        return found
    if counts.with_joints == 0:
        what, cure = f"No {split} frame has a joint: all confidences are 0", "make the keypoints anew"
        return [*found, Finding("keypoints_empty", "error", what, cure)]
    geometry = list(_geometry(split, counts))
    return [
        *found,
        *geometry,
        *_coverage(split, counts),
        *_confidences(split, counts),
        *([] if geometry else _motion(split, counts)),
    ]


def keypoint_table(counts: KeypointCounts) -> dict[str, Any]:
    """Return the numbers behind the findings as plain values, null where nothing can be told."""
    swaps = counts.swaps
    return {
        "frames": counts.frames,
        "frames_with_joints": _share(counts.with_joints, counts.frames),
        "missing": {
            name: _share(counts.frames - int(seen), counts.frames)
            for name, seen in zip(counts.joints, counts.seen, strict=True)
        },
        "outside": _share(counts.outside, counts.placed),
        "confidence": list(counts.confidence) if counts.with_joints else None,
        "plausible": {name: _share(good, counts.judged) for name, good in counts.plausible.items()},
        "left_right_changes": _share(swaps.changes, swaps.steps),
        "left_right_swapped": _share(swaps.swapped, swaps.frames),
        "frozen": _share(counts.frozen, counts.pairs),
        "spread": None if np.isnan(counts.spread) else round(counts.spread, 4),
    }


def _geometry(split: str, counts: KeypointCounts) -> Iterator[Finding]:
    good = {name: n / max(counts.judged, 1) for name, n in counts.plausible.items()}
    outside = counts.outside / max(counts.placed, 1)
    if counts.judged >= _FEW and good[AS_STORED] < _UPRIGHT:
        what = (
            f"Only {percent(good[AS_STORED])} of the skeletons in {split} stand upright inside their crop, "
            f"and {percent(outside)} of the joints lie outside"
        )
        cures = sorted(
            (name for name in _CODES if good[name] >= max(_CURED, 2 * good[AS_STORED])),
            key=lambda name: -good[name],
        )
        if cures:
            shares = " or ".join(f"{name} ({percent(good[name])})" for name in cures)
            yield Finding(_CODES[cures[0]], "error", what, f"they would with {shares}, write them so")
        elif outside > _UPRIGHT:
            cure = (
                "these are keypoints of the whole image, or of a picture of another size, instead of the "
                "crop, subtract the corner of its box"
            )
            yield Finding("keypoints_of_whole_image", "error", what, cure)
        else:
            cure = "see samples.png; the joints may be in another order, or belong to other frames"
            yield Finding("keypoints_implausible", "error", what, cure)
    elif outside > _OUTSIDE:
        what = f"{percent(outside)} of the joints in {split} lie outside their crop by more than "
        what += f"{percent(OUTSIDE_MARGIN)} of its size"
        yield Finding("keypoints_outside", "warning", what, "see samples.png")


def _coverage(split: str, counts: KeypointCounts) -> Iterator[Finding]:
    share = counts.with_joints / counts.frames
    if share < _COVERED:
        what = f"Only {percent(share)} of the {split} frames have any joint"
        yield Finding("keypoints_sparse", "warning", what, "see whether keypoints are missing")
    never = [name for name, seen in zip(counts.joints, counts.seen, strict=True) if seen == 0]
    if never:
        what = f"No {split} frame has {', '.join(never)}"
        yield Finding("keypoints_joint_missing", "warning", what, "choose data.joints that the layout has")


def _confidences(split: str, counts: KeypointCounts) -> Iterator[Finding]:
    if counts.not_finite:
        what = f"{number(counts.not_finite, f'{split} frame')} with keypoints that are no finite numbers"
        yield Finding("keypoints_not_finite", "warning", what, "such joints count as missing")
    if counts.out_of_range:
        what = f"{number(counts.out_of_range, f'{split} frame')} with confidences outside 0..1"
        yield Finding("keypoints_confidence_range", "warning", what, "they are cut off there, scale them")
    if counts.sure == int(counts.seen.sum()):
        what = f"Every joint in {split} that is there has the confidence 1"
        yield Finding("keypoints_confidence_constant", "note", f"{what}, as in annotations")


def _motion(split: str, counts: KeypointCounts) -> Iterator[Finding]:
    swaps = counts.swaps
    if swaps.steps >= _FEW and swaps.swapped > _SWAPPED * swaps.frames:
        what = (
            f"Left and right are exchanged in about {percent(swaps.swapped / swaps.frames)} of the {split} "
            f"frames; they change in {percent(swaps.changes / swaps.steps)} of the steps from a frame to the "
            "next"
        )
        yield Finding("keypoints_left_right", "warning", what, "use a pose tool that tracks, or smooth them")
    if counts.judged >= _FEW and counts.spread < _STILL:
        what = f"All people in {split} stand in one pose: joints spread over {percent(counts.spread)} of "
        cure = "these are no keypoints of these frames, make them anew"
        yield Finding("keypoints_same_pose", "error", f"{what}the crop", cure)
    elif counts.pairs >= _FEW and counts.frozen > _FROZEN * counts.pairs:
        steps = percent(counts.frozen / counts.pairs)
        what = f"In {steps} of the steps in {split} from a frame to the next no joint moves"
        yield Finding("keypoints_frozen", "warning", what, "see whether keypoints were repeated")


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
