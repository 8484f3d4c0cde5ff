"""The boxes of a tracker or of annotators: MOTChallenge's text, or a CSV file with named columns.

Source of the format: Milan et al., "MOT16", 2016, and the MOTChallenge devkit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.tracks.row_filter import UNTOLD, RowFilter, filter_rows, nothing_left
from vidreid.data.tracks.text_table import TextTable, read_text_table
from vidreid.errors import DataError, reads_files

MOT_COLUMNS = ("frame", "id", "x", "y", "w", "h", "conf", "class", "visibility")
"""Of annotations (MOT16 and later); results lack the last ones."""

MOT_RESULT_COLUMNS = (*MOT_COLUMNS[:7], "world_x", "world_y", "world_z")
"""Of results, and of MOT15's annotations: a tenth column says that the last three are places, mostly -1."""

_UNNAMED = {count: MOT_COLUMNS[:count] for count in range(6, 10)} | {10: MOT_RESULT_COLUMNS}
_FRAMES = ("frame", "frame0")
_IDS = ("id", "track", "tracklet", "person")


@dataclass(frozen=True)
class Tracks:
    """The boxes of one video.

    Attributes:
        boxes: One row a box: ``frame`` (int64, from 1), ``track`` and ``person`` (text; empty for unknown),
            ``x, y, w, h`` (float64, pixels, the left top corner and the size); by track, then frame.
        left_out: How many rows were not used, by reason.
        camera: What the file says of the camera, if that is one.
    """

    boxes: pd.DataFrame
    left_out: dict[str, int]
    camera: str | None


@reads_files
def read_tracks(path: Path, rows: RowFilter, videos: Sequence[str] = (), camera: str | None = None) -> Tracks:
    """Read the boxes of one video.

    Text without a line of column names is MOT's ``frame,id,x,y,w,h[,conf[,class[,visibility]]]`` or, with ten
    columns, ``frame,id,x,y,w,h,conf,-1,-1,-1``. A CSV file names its columns, in any order: ``frame`` or
    ``frame0`` (from 0), ``id``, ``track``, ``tracklet`` or ``person``, ``x``, ``y``, ``w``, ``h``, and
    perhaps ``conf``, ``class``, ``visibility``; ``video`` and ``camera``, by which the rows of this video are
    found; ``person`` beside an id says who it is. Corners are taken from the edge of the picture, 0.

    Args:
        path: The file.
        rows: Which are used.
        videos: Names of this video in a column ``video``.
        camera: This video's in a column ``camera``; ``None``: all.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If it is damaged, has no row for this video or no row with a track.
    """
    table = read_text_table(path, _UNNAMED)
    if table.named:
        _check_columns(table)
        table = _rows_of(table, "video", videos)
        table = _rows_of(table, "camera", () if camera is None else (camera,))
    cameras = sorted(set(table.texts("camera"))) if table.named and table.has("camera") else []
    if len(cameras) > 1:
        raise DataError(
            f"{path} holds the cameras {', '.join(cameras[:5])}: say which is this video's, camera=."
        )
    frames = _frames(table, rows.first_frame)
    corners = {name: table.numbers(name) for name in ("x", "y", "w", "h")}
    for name in ("w", "h"):
        _check(table, corners[name] < 0, f"the box has a negative size ({name})")
    ids = _ids(table)
    boxes = pd.DataFrame({"frame": frames, "track": ids, "person": _persons(table), **corners})
    left_out, keep = filter_rows(table, rows, boxes["track"].to_numpy() != str(UNTOLD))
    if not keep.any():
        raise DataError(nothing_left(table, left_out, rows))
    boxes["line"] = table.lines
    boxes = boxes.loc[keep]
    boxes["order"] = numbered_tracks(boxes)
    boxes = boxes.sort_values(["order", "frame"], kind="stable", ignore_index=True)
    _check_once(table.path, boxes)
    _check_one_person(table.path, boxes)
    return Tracks(boxes.drop(columns=["line", "order"]), left_out, cameras[0] if cameras else None)


def numbered_tracks(boxes: pd.DataFrame) -> NDArray[np.int64]:
    """Return the place of each box's track among all: numbers by their value, then names."""

    def key(track: str) -> tuple[bool, int, str]:
        number = int(track) if track.isdecimal() and len(track) <= 18 else None
        return (number is None, number or 0, track)

    tracks = boxes["track"].tolist()
    places = {track: place for place, track in enumerate(sorted(set(tracks), key=key))}
    return np.array([places[track] for track in tracks], dtype=np.int64)


def _check_columns(table: TextTable) -> None:
    lacking = [name for name in ("x", "y", "w", "h") if not table.has(name)]
    lacking += [" or ".join(names) for names in (_FRAMES, _IDS) if not any(table.has(name) for name in names)]
    if lacking:
        raise DataError(
            f"{table.path} has no column {', no column '.join(lacking)}, but {', '.join(table.header)}: "
            "rename the columns in its first line."
        )


def _rows_of(table: TextTable, name: str, wanted: Sequence[str]) -> TextTable:
    """Return the rows of one video or camera, if the file tells them apart."""
    if not wanted or not table.has(name):
        return table
    texts = table.texts(name)
    rows = [row for row, text in enumerate(texts) if text in wanted]
    if not rows:
        there = sorted(set(texts))
        raise DataError(
            f"{table.path} has no row of {name} {wanted[0]!r}, but of {', '.join(there[:5])}"
            f"{', ...' if len(there) > 5 else ''}: correct the column {name} or the source's {name}."
        )
    return table.chosen(rows)


def _frames(table: TextTable, first_frame: int) -> NDArray[np.int64]:
    """Return the frames, counted from 1."""
    if table.has("frame0"):
        name, first = "frame0", 0
    else:
        name, first = "frame", first_frame
    frames = table.whole_numbers(name)
    bad = np.flatnonzero(frames < first)
    if len(bad):
        hint = "; if the tracker counts from 0, say first_frame=0" if frames[bad[0]] == 0 else ""
        raise DataError(
            f"{table.where(bad[0])}: the {name} is {frames[bad[0]]}, but the first is {first}: correct the "
            f"file{hint}."
        )
    return frames - first + 1


def _ids(table: TextTable) -> list[str]:
    name = next(name for name in _IDS if table.has(name))
    if not table.named:
        return [str(number) for number in table.whole_numbers(name).tolist()]
    ids = table.texts(name)
    _check(table, np.array([text == "" for text in ids]), f"the {name} is empty")
    return ids


def _persons(table: TextTable) -> list[str]:
    return table.texts("person") if table.has("person") else [""] * len(table)


def _check(table: TextTable, bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        raise DataError(f"{table.where(int(np.argmax(bad)))}: {what}: correct or remove the line.")


def _check_once(path: Path, boxes: pd.DataFrame) -> None:
    again = boxes.duplicated(["track", "frame"])
    if again.any():
        row = boxes.loc[again].iloc[0]
        raise DataError(
            f"{path}, line {row['line']} gives track {row['track']} a second box in frame {row['frame']}: "
            "remove one."
        )


def _check_one_person(path: Path, boxes: pd.DataFrame) -> None:
    people: dict[str, str] = {}
    rows = zip(boxes["track"].tolist(), boxes["person"].tolist(), boxes["line"].tolist(), strict=True)
    for track, person, line in rows:
        first = people.setdefault(track, person)
        if person != first:
            raise DataError(
                f"{path}, line {line} says that track {track} is {person!r}, and in an earlier frame it is "
                f"{first!r}: give each person a track of their own."
            )
