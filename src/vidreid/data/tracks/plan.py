"""Every crop that is to be cut, before a frame is decoded."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.tracks.mot_files import numbered_tracks, read_tracks
from vidreid.data.tracks.names import folder_names
from vidreid.data.tracks.persons import Persons, read_persons
from vidreid.data.tracks.row_filter import RowFilter
from vidreid.data.tracks.settings import FORMATS, CropSettings
from vidreid.data.tracks.sources import Source
from vidreid.data.tracks.tracklets import split_at_gaps, split_evenly
from vidreid.data.tracks.videos import Pictures, open_pictures
from vidreid.errors import DataError

BOX = ["left", "top", "right", "bottom"]


@dataclass(frozen=True)
class SourcePlan:
    """What is cut out of one video.

    Attributes:
        source: Where from.
        camera: Its camera.
        rows: Rows in its file of boxes that are this video's.
        left_out: How many of them give no crop, by reason.
        crops: One row a crop, in the order of the manifest: ``track``, ``piece``, ``person``, ``frame``, and
            the pixels ``left:right, top:bottom``.
    """

    source: Source
    camera: str
    rows: int
    left_out: dict[str, int]
    crops: pd.DataFrame


@dataclass(frozen=True)
class Plan:
    """All crops.

    Attributes:
        crops: One row a crop, in the order of the manifest: its columns ``tracklet``, ``frame_path``,
            ``person``, ``camera``, ``frame_number``, ``role`` if told, then ``source`` (place in
            ``pictures``) and the box.
        sources: By video.
        pictures: The opened videos.
        notices: Sentences for the user.
    """

    crops: pd.DataFrame
    sources: list[SourcePlan]
    pictures: list[Pictures]
    notices: list[str] = field(default_factory=list)


def plan_crops(sources: Sequence[Source], settings: CropSettings) -> Plan:
    """Read the boxes of all sources, open their videos, and decide on every crop.

    Raises:
        MissingDataError: If a file is not there.
        DataError: If one is damaged, they do not fit each other, or no crop is left.
    """
    persons = read_persons(settings.persons)
    pictures = [open_pictures(source.video) for source in sources]
    plans = [_plan_source(source, p, settings, persons) for source, p in zip(sources, pictures, strict=True)]
    if not any(len(plan.crops) for plan in plans):
        counts = Counter[str]()
        for plan in plans:
            counts.update(plan.left_out)
        told = ", ".join(f"{count} {reason}" for reason, count in counts.items())
        raise DataError(f"No crop is left of {sum(plan.rows for plan in plans)} boxes: {told}.")
    notices = [notice for opened in pictures for notice in opened.notices]
    unused = persons.unused()
    if unused:
        notices.append(unused)
    return Plan(_manifest(plans, settings), plans, pictures, notices)


def _plan_source(source: Source, pictures: Pictures, settings: CropSettings, persons: Persons) -> SourcePlan:
    filter_ = RowFilter(
        settings.classes, settings.min_confidence, settings.min_visibility, settings.first_frame
    )
    tracks = read_tracks(source.tracks, filter_, source.names_of_video(), source.camera)
    camera = source.camera or tracks.camera or source.name
    boxes = tracks.boxes
    gone = pictures.missing(np.unique(boxes["frame"].to_numpy(dtype=np.int64)))
    if gone:
        raise DataError(f"{gone} ({source.tracks}): are these the tracks of this video?")
    order = numbered_tracks(boxes)
    frames = boxes["frame"].to_numpy(dtype=np.int64)
    stretches = split_at_gaps(order, frames, settings.max_gap)
    pixels, outside = clip_boxes(boxes[["x", "y", "w", "h"]].to_numpy(), settings.margin, pictures.size)
    reasons = {
        "between strides": (frames - 1) % settings.stride != 0,
        "outside the picture": outside,
        f"lower than {settings.min_height} px": pixels[:, 3] - pixels[:, 1] < settings.min_height,
    }
    left_out, keep = dict(tracks.left_out), np.ones(len(boxes), dtype=bool)
    for reason, bad in reasons.items():
        if count := int((keep & bad).sum()):
            left_out[reason] = count
        keep &= ~bad
    crops = boxes.loc[keep, ["track", "frame"]].assign(**dict(zip(BOX, pixels[keep].T, strict=True)))
    pieces = pd.Series(split_evenly(stretches[keep], settings.max_frames), index=crops.index)
    crops["piece"] = pieces - pieces.groupby(crops["track"]).transform("min") + 1
    told = zip(boxes.loc[keep, "track"], boxes.loc[keep, "person"], strict=True)
    crops["person"] = [persons.of(camera, source.name, track, person) for track, person in told]
    rows = len(boxes) + sum(tracks.left_out.values())
    return SourcePlan(source, camera, rows, left_out, crops.reset_index(drop=True))


def clip_boxes(
    boxes: NDArray[np.float64], margin: float, size: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Turn boxes into pixels of a picture.

    Args:
        boxes: ``(n, 4)`` left, top, width, height.
        margin: Share of width and height added on each side.
        size: Height and width of the picture.

    Returns:
        ``(n, 4)`` left, top, right and bottom, edges rounded to the nearest pixel, and ``(n,)`` whether
        nothing of the box is inside.
    """
    corner, extent = boxes[:, :2], boxes[:, 2:]
    edges = np.concatenate([corner - margin * extent, corner + (1 + margin) * extent], axis=1)
    # Clipped before they become integers, which huge numbers would overflow.
    limits = np.array([size[1], size[0]] * 2, dtype=np.float64)
    pixels = np.floor(np.clip(edges, 0.0, limits) + 0.5).astype(np.int64)
    return pixels, (pixels[:, 2] <= pixels[:, 0]) | (pixels[:, 3] <= pixels[:, 1])


def _manifest(plans: Sequence[SourcePlan], settings: CropSettings) -> pd.DataFrame:
    cameras = list(dict.fromkeys(plan.camera for plan in plans))
    camera_folders = dict(zip(cameras, folder_names(cameras), strict=True))
    parts: list[pd.DataFrame] = []
    for place, plan in enumerate(plans):
        tracks = list(dict.fromkeys(plan.crops["track"]))
        names = dict(zip(tracks, folder_names(tracks), strict=True))
        tracklets = [
            f"{plan.source.name}_{names[track]}_{piece}"
            for track, piece in zip(plan.crops["track"], plan.crops["piece"], strict=True)
        ]
        folder, ending = f"crops/{camera_folders[plan.camera]}", FORMATS[settings.format]
        frames = plan.crops["frame"].tolist()
        about = {
            "tracklet": tracklets,
            "frame_path": [
                f"{folder}/{name}/{frame:06d}{ending}" for name, frame in zip(tracklets, frames, strict=True)
            ],
            "person": plan.crops["person"],
            "camera": plan.camera,
            "frame_number": frames,
            "source": place,
        }
        if settings.role is not None:
            about["role"] = settings.role
        parts.append(pd.DataFrame(about).join(plan.crops[BOX]))
    return pd.concat(parts, ignore_index=True)
