"""The pictures beside a report: a sample, the oddest frames, duplicates, queries without an answer."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.data.clips import evenly
from vidreid.data.frames import FrameError, read_frame
from vidreid.data.inspection.duplicates import Pair
from vidreid.data.inspection.frame_findings import constant, grey, odd_sizes
from vidreid.data.inspection.frame_record import READ
from vidreid.data.inspection.frame_uses import SplitUses
from vidreid.data.inspection.inspect import Inspection
from vidreid.data.inspection.tables import unanswered
from vidreid.data.tracklets import column
from vidreid.errors import DataError
from vidreid.keypoints.layouts import select_joints
from vidreid.keypoints.skeleton import SKELETONS
from vidreid.visualize.palette import PAPER, Frame
from vidreid.visualize.ranked import middles
from vidreid.visualize.skeletons import draw_skeleton
from vidreid.visualize.strips import Strip, tracklet_strips

HEIGHT, WIDTH = 224, 112
_SAMPLES = 24
_ODDEST = 18
_PAIRS = 12
_QUERIES = 8
_OF_A_QUERY = 3


def draw_sheets(found: Inspection) -> dict[str, Frame]:
    """Draw the sheets for which there is something to show.

    Returns:
        Pictures by the names of their files.
    """
    sheets = {
        "samples.png": (_samples(found), 8),
        "oddest.png": (_oddest(found), 9),
        "duplicates_train_test.png": (_pairs(found, [*found.identical.across, *found.alike.across]), 4),
        "duplicates_identities.png": (_pairs(found, [*found.identical.inside, *found.alike.inside]), 4),
        "unanswered.png": (_unanswered(found), 2),
    }
    return {
        name: tracklet_strips(strips, columns, HEIGHT, WIDTH)
        for name, (strips, columns) in sheets.items()
        if strips
    }


def fitted(frame: Frame, height: int = HEIGHT, width: int = WIDTH) -> Frame:
    """Enlarge or shrink a frame into a white box without changing its shape.

    Args:
        frame: ``(h, w, 3)`` uint8 RGB.
        height: Of the box.
        width: Of the box.
    """
    scale = min(height / frame.shape[0], width / frame.shape[1])
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    box = np.full((height, width, 3), PAPER, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    box[top : top + size[1], left : left + size[0]] = cv2.resize(frame, size, interpolation=way)
    return box


def _samples(found: Inspection) -> list[Strip]:
    strips = []
    for split, uses in (("train", found.uses.train), ("test", found.uses.test)):
        readable = (found.records["state"] == READ)[uses.frames] & (uses.pids > 0)
        own = np.flatnonzero(readable)
        for place in own[middles(len(own), min(_SAMPLES // 2, len(own)))] if len(own) else []:
            drawn = _with_skeleton(found, split, uses, int(place))
            if drawn is not None:
                strips.append(Strip([drawn], [f"{split} · id {uses.pids[place]}"]))
    return strips


def _with_skeleton(found: Inspection, split: str, uses: SplitUses, place: int) -> Frame | None:
    frame = _read(found, int(uses.frames[place]))
    source = found.sources.get(split)
    if frame is None or source is None:
        return None if frame is None else fitted(frame)
    scale = min(HEIGHT / frame.shape[0], WIDTH / frame.shape[1])
    try:
        stored = source[uses.rows[place : place + 1]]
    except DataError:
        return fitted(frame)
    joints = select_joints(stored, found.data.joints, source.layout)[0]
    # A joint far outside would overflow the pen.
    joints[:, :2] = np.clip(joints[:, :2], -2000, 2000)
    return fitted(draw_skeleton(frame, joints, SKELETONS[found.data.joints], scale))


def _oddest(found: Inspection) -> list[Strip]:
    records = found.records
    reasons = {"size": odd_sizes(records), "one colour": constant(records), "grey": grey(records)}
    wrong = np.flatnonzero(np.any(list(reasons.values()), axis=0))
    chosen = wrong[middles(len(wrong), min(_ODDEST, len(wrong)))].tolist() if len(wrong) else []
    chosen += _least_contrast(found, set(wrong.tolist()), _ODDEST - len(chosen))
    strips = []
    for frame in chosen:
        picture = _read(found, frame)
        if picture is not None:
            words = ", ".join(word for word, mask in reasons.items() if mask[frame]) or "little contrast"
            size = f"{records['height'][frame]}x{records['width'][frame]}"
            strips.append(Strip([fitted(picture)], [words, _name(found, frame), size]))
    return strips


def _least_contrast(found: Inspection, told: set[int], count: int) -> list[int]:
    """Return the frame with the least contrast of the ``count`` tracklets with the least of all."""
    frames: list[NDArray[np.int64]] = []
    for uses in (found.uses.train, found.uses.test):
        own = uses.where((found.records["state"] == READ)[uses.frames])
        order = np.argsort(found.records["contrast"][own.frames], kind="stable")
        _, first = np.unique(own.tracklets[order], return_index=True)
        frames.append(own.frames[order[first]])
    every = np.array(sorted(set(np.concatenate(frames).tolist()) - told), dtype=np.int64)
    return every[np.argsort(found.records["contrast"][every], kind="stable")][:count].tolist()


def _pairs(found: Inspection, pairs: Sequence[Pair]) -> list[Strip]:
    strips = []
    for place in middles(len(pairs), min(_PAIRS, len(pairs))) if pairs else []:
        pair = pairs[place]
        pictures = [_read(found, frame) for frame in pair]
        frames = [fitted(picture) for picture in pictures if picture is not None]
        if len(frames) == len(pair):
            strips.append(Strip(frames, [_name(found, pair.first), f"= {_name(found, pair.second)}"]))
    return strips


def _unanswered(found: Inspection) -> list[Strip]:
    test = found.data.benchmark.test
    rows = unanswered(found.data.benchmark, found.data.protocol)
    starts, stops = column(test, "start"), column(test, "stop")
    strips = []
    for row in rows[middles(len(rows), min(_QUERIES, len(rows)))] if len(rows) else []:
        own = found.uses.test.frames[found.uses.test.tracklets == row]
        read = [_read(found, int(own[i])) for i in evenly(len(own), min(_OF_A_QUERY, len(own)))]
        frames = [fitted(picture) for picture in read if picture is not None]
        if frames:
            words = f"id {test['pid'].iloc[row]} camera {test['camera'].iloc[row]}"
            strips.append(Strip(frames, [words, f"{stops[row] - starts[row]} frames"]))
    return strips


def _read(found: Inspection, frame: int) -> Frame | None:
    try:
        return read_frame(*found.uses.place(frame))
    except FrameError:
        return None


def _name(found: Inspection, frame: int) -> str:
    return found.uses.path(frame).rpartition("/")[2].rpartition(".")[0]
