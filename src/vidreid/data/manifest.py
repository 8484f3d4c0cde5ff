"""Manifests of one's own data: a table with a row a frame, read and checked."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from vidreid.data.manifest_file import BOX, read_columns
from vidreid.data.manifest_ids import clean_ids, in_order
from vidreid.data.manifest_keypoints import parse_keypoints
from vidreid.data.own_frames import Cameras, OwnFrames, check_cameras
from vidreid.errors import DataError

ROLES = ("train", "query", "gallery", "test")

_IF_UNKNOWN = {
    "tracklet": "every frame belongs to one",
    "person": "leave the field empty if nobody knows who it is, or take another name",
    "camera": "name it, or set data.cameras=each_tracklet if nobody knows the cameras",
}
_WRONG_PATHS = (
    (r"^$", "is empty: name the image"),
    (r"\\", "has a backslash: write / between folders"),
    (r"^(?:/|[A-Za-z]:)", "does not begin at the manifest's folder: write it relative to that"),
    (r"(?:^|/)\.\.(?:/|$)", "leads out of a folder by '..': write it relative to the manifest's folder"),
    (r"\x00", "holds a NUL character: write the name of a file"),
)
_FAR = 10**8


def read_manifest(path: str | Path, cameras: Cameras = "given", with_keypoints: bool = False) -> OwnFrames:
    """Read a manifest; images are not touched.

    Tracklets come in the order of their names, as numbers if all are whole numbers; frames in that of
    ``frame_number``, or of the rows.

    Args:
        path: A CSV or Parquet file with the columns ``tracklet``, ``frame_path``, ``person``, ``camera``, and
            maybe ``role``, ``frame_number``, ``x``, ``y``, ``width``, ``height`` and ``keypoints``.
        cameras: ``each_tracklet`` does without the cameras.
        with_keypoints: Also read the keypoints.

    Raises:
        MissingDataError: If there is no such file.
        DataError: If something in it is missing, of another form, or contradicts itself; the message names
            the row.
        ValueError: For other ``cameras``.
    """
    check_cameras(cameras)
    path = Path(path)
    known = ("tracklet", "person", "camera") if cameras == "given" else ("tracklet", "person")
    table, keypoints = read_columns(path, (*known, "frame_path"), with_keypoints)
    if cameras == "each_tracklet":
        table = table.drop(columns="camera", errors="ignore")
    for what in known:
        table[what] = clean_ids(table[what], what, str(path), _IF_UNKNOWN[what])
        if what != "person":
            _refuse(path, table[what] == "", f"has no {what}: {_IF_UNKNOWN[what]}.")
    table["frame_path"] = _paths(path, table["frame_path"])
    if "role" in table:
        other = ~table["role"].isin(ROLES)
        _refuse(path, other, f"the role is {{role!r}}: choose one of {', '.join(ROLES)}.", table)
    codes, ids = pd.factorize(table["tracklet"])
    _check_constant(path, table, codes, [name for name in ("person", "camera", "role") if name in table])
    order = _order(path, table, codes, in_order(ids, "tracklet", str(path)), ids)
    edges = _edges(path, table) if any(name in table for name in BOX) else None
    _check_paths(path, table, boxed=edges is not None)
    if with_keypoints and keypoints is None:
        raise DataError(
            f"{path} has no keypoints: add a column keypoints, set data.keypoints to another source, or choose "
            "a method that needs none."
        )
    joints = None if keypoints is None else parse_keypoints(keypoints, table.index.to_numpy(), str(path))
    return OwnFrames(
        str(path),
        path.parent,
        table.iloc[order].drop(columns=["frame_number", *BOX], errors="ignore"),
        None if edges is None else edges[order],
        None if joints is None else joints[order],
    )


def _refuse(path: Path, wrong: pd.Series, words: str, table: pd.DataFrame | None = None) -> None:
    """Raise for the first row that is wrong; ``words`` may name columns of the table."""
    if wrong.any():
        place = int(np.argmax(wrong.to_numpy()))
        values = {} if table is None else {str(name): table[name].iloc[place] for name in table}
        raise DataError(f"{path}, row {wrong.index[place]}: {words.format(**values)}")


def _paths(path: Path, paths: pd.Series) -> pd.Series:
    paths = paths.str.replace(r"^(?:\./)+", "", regex=True)
    for pattern, words in _WRONG_PATHS:
        wrong = paths.str.contains(pattern, regex=True)
        _refuse(path, wrong, f"the frame_path {{frame_path!r}} {words}.", paths.to_frame())
    return paths


def _check_constant(
    path: Path, table: pd.DataFrame, codes: NDArray[np.intp], names: list[str]
) -> None:
    """Refuse a tracklet with two people, cameras or roles."""
    _, firsts = np.unique(codes, return_index=True)
    for name in names:
        values = pd.factorize(table[name])[0]
        other = np.flatnonzero(values != values[firsts[codes]])
        if len(other):
            first, second = int(firsts[codes[other[0]]]), int(other[0])
            one, two = (
                f"{table[name].iloc[place]!r} in row {table.index[place]}" for place in (first, second)
            )
            raise DataError(
                f"{path}: the tracklet {table['tracklet'].iloc[first]!r} has two {_PLURALS[name]}, {one} and "
                f"{two}: give one of them another tracklet."
            )


_PLURALS = {"person": "people", "camera": "cameras", "role": "roles"}


def _order(
    path: Path, table: pd.DataFrame, codes: NDArray[np.intp], ordered: list[str], ids: pd.Index
) -> NDArray[np.intp]:
    """Return the order of the rows: by tracklet, then by frame."""
    place = {tracklet: number for number, tracklet in enumerate(ordered)}
    tracklets = np.array([place[tracklet] for tracklet in ids])[codes]
    if "frame_number" not in table:
        return np.argsort(tracklets, kind="stable")
    numbers = _numbers(path, table, "frame_number")
    whole = numbers.astype(np.int64)
    _refuse(
        path,
        pd.Series(whole != numbers, table.index),
        "the frame_number is {frame_number}, which is no whole number.",
        table,
    )
    pairs = pd.DataFrame({"tracklet": tracklets, "frame": whole}, index=table.index)
    _refuse(
        path,
        pairs.duplicated(),
        "the frame_number {frame_number} comes a second time in the tracklet {tracklet!r}: correct it.",
        table,
    )
    return np.lexsort((whole, tracklets))


def _numbers(path: Path, table: pd.DataFrame, name: str) -> NDArray[np.integer | np.floating]:
    """Return a column of numbers, as int64 if they are written without fractions and fit."""
    numbers = _parsed(table[name])
    if numbers.dtype != np.int64:
        # Whole numbers above 2**53 that are not int64 would run into each other.
        wrong = ~(numbers.abs() < 2**53)
        _refuse(path, wrong, f"the {name} is {{{name}!r}}, which is no number.", table)
    return numbers.to_numpy()


def _parsed(column: pd.Series) -> pd.Series:
    """Return numbers as int64 or float64; what is none becomes NaN."""
    for kind in (pa.int64(), pa.float64()):
        try:
            # Four times as fast as pandas, which alone can go on after what is no number.
            return pd.Series(pa.array(column).cast(kind).to_numpy(zero_copy_only=False), column.index)
        except pa.ArrowException:
            continue
    return pd.to_numeric(column, errors="coerce").astype(np.float64)


def _edges(path: Path, table: pd.DataFrame) -> NDArray[np.int64]:
    """Return left, top, right and bottom of the boxes, rounded to whole pixels."""
    missing = [name for name in BOX if name not in table]
    if missing:
        raise DataError(
            f"{path} has no value in {', '.join(missing)}: a box needs all four of {', '.join(BOX)}, and frames "
            "that are crops none."
        )
    x, y, width, height = (_numbers(path, table, name).astype(np.float64) for name in BOX)
    words = "the box x={x} y={y} width={width} height={height}"
    far = np.max(np.abs([x, y, width, height]), axis=0) > _FAR
    flat = (width <= 0) | (height <= 0)
    edges = np.stack([x, y, x + width, y + height], axis=1).clip(-2 * _FAR, 2 * _FAR)
    edges = np.floor(edges + 0.5).astype(np.int64)
    edges[:, 2:] = np.maximum(edges[:, 2:], edges[:, :2] + 1)
    outside = (edges[:, 2:] <= 0).any(axis=1)
    for wrong, what in (
        (far, "lies beyond any image"),
        (flat, "has no area"),
        (outside, "lies outside of the image"),
    ):
        _refuse(path, pd.Series(wrong, table.index), f"{words} {what}: correct it.", table)
    return edges


def _check_paths(path: Path, table: pd.DataFrame, boxed: bool) -> None:
    """Refuse a picture twice in a tracklet and, unless boxes tell them apart, one of two people."""
    twice = table.duplicated(["tracklet", "frame_path"])
    _refuse(path, twice, "{frame_path!r} comes a second time in the tracklet {tracklet!r}: remove it.", table)
    again = table["frame_path"].duplicated()
    if boxed or not again.any():
        return
    person, picture = (pd.factorize(table[name])[0] for name in ("person", "frame_path"))
    _, firsts = np.unique(picture, return_index=True)
    two = pd.Series(person != person[firsts[picture]], table.index)
    _refuse(
        path,
        two,
        "{frame_path!r} shows {person!r} here and somebody else in a row above: correct it, or say by x, y, "
        "width and height where in the image.",
        table,
    )
