"""Manifests of one's own data: a table with a row a frame, read and checked."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.own.manifest_file import BOX, read_columns
from vidreid.data.own.manifest_ids import clean_ids, in_order
from vidreid.data.own.manifest_keypoints import parse_keypoints
from vidreid.data.own.manifest_values import box_edges, refuse, whole_numbers
from vidreid.data.own.own_frames import Cameras, OwnFrames, check_cameras
from vidreid.errors import DataError, reads_files

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
_PLURALS = {"person": "people", "camera": "cameras", "role": "roles"}


@reads_files
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
    where = str(path)
    names = ("tracklet", "person", "camera") if cameras == "given" else ("tracklet", "person")
    table, keypoints = read_columns(Path(path), (*names, "frame_path"), with_keypoints)
    if with_keypoints and keypoints is None:
        raise DataError(
            f"{where} has no keypoints: add a column keypoints, set data.keypoints to another source, or "
            "choose a method that needs none."
        )
    if cameras == "each_tracklet":
        table = table.drop(columns="camera", errors="ignore")
    _clean(where, table, names)
    codes, ids = pd.factorize(table["tracklet"])
    _check_constant(where, table, codes, [name for name in _PLURALS if name in table])
    ordered = in_order(map(str, ids), "tracklet", where)
    place = {tracklet: number for number, tracklet in enumerate(ordered)}
    order = _order(where, table, np.array([place[str(tracklet)] for tracklet in ids])[codes])
    edges = box_edges(where, table) if any(name in table for name in BOX) else None
    _check_pictures(where, table, boxed=edges is not None)
    joints = None if keypoints is None else parse_keypoints(keypoints, table.index.tolist(), where)
    return OwnFrames(
        where,
        Path(path).parent,
        table.iloc[order].drop(columns=["frame_number", *BOX], errors="ignore"),
        None if edges is None else edges[order],
        None if joints is None else joints[order],
    )


def _clean(where: str, table: pd.DataFrame, names: tuple[str, ...]) -> None:
    """Bring ids and paths of a table into one form, or refuse them."""
    for name in names:
        table[name] = clean_ids(pd.Series(table[name]), name, where, _IF_UNKNOWN[name])
        if name != "person":
            empty = (table[name] == "").to_numpy(dtype=bool)
            refuse(where, table, empty, f"there is no {name}: {_IF_UNKNOWN[name]}.")
    table["frame_path"] = table["frame_path"].str.replace(r"^(?:\./)+", "", regex=True)
    for pattern, words in _WRONG_PATHS:
        wrong = table["frame_path"].str.contains(pattern, regex=True).to_numpy(dtype=bool)
        refuse(where, table, wrong, f"the frame_path {{frame_path!r}} {words}.")
    if "role" in table:
        other = ~np.isin(table["role"].to_numpy(dtype=str), ROLES)
        refuse(where, table, other, f"the role is {{role!r}}: choose one of {', '.join(ROLES)}.")


def _check_constant(where: str, table: pd.DataFrame, codes: NDArray[np.intp], names: list[str]) -> None:
    """Refuse a tracklet with two people, cameras or roles."""
    for name in names:
        first, other = _differing(codes, pd.factorize(table[name])[0])
        if other.any():
            second = int(np.argmax(other))
            one, two = (
                f"{table[name].iloc[row]!r} in row {table.index[row]}" for row in (first[second], second)
            )
            raise DataError(
                f"{where}: the tracklet {table['tracklet'].iloc[second]!r} has two {_PLURALS[name]}, {one} "
                f"and {two}: give one of them another tracklet."
            )


def _differing(
    groups: NDArray[np.intp], values: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the first row of each row's group, and whether the row's value differs from that one's."""
    _, firsts = np.unique(groups, return_index=True)
    first = firsts[groups]
    return first, values != values[first]


def _order(where: str, table: pd.DataFrame, tracklets: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the order of the rows: by tracklet, then by frame."""
    if "frame_number" not in table:
        return np.argsort(tracklets, kind="stable")
    numbers = whole_numbers(where, table, "frame_number")
    again = pd.DataFrame({"tracklet": tracklets, "frame": numbers}).duplicated().to_numpy()
    words = "the frame_number {frame_number} comes a second time in the tracklet {tracklet!r}: correct it."
    refuse(where, table, again, words)
    return np.lexsort((numbers, tracklets))


def _check_pictures(where: str, table: pd.DataFrame, boxed: bool) -> None:
    """Refuse a picture twice in a tracklet and, unless boxes tell them apart, one of two people."""
    again = table.duplicated(["tracklet", "frame_path"]).to_numpy()
    words = "{frame_path!r} comes a second time in the tracklet {tracklet!r}: remove it."
    refuse(where, table, again, words)
    pictures = pd.factorize(table["frame_path"])[0]
    if boxed or len(pictures) == pictures.max() + 1:
        return
    words = (
        "{frame_path!r} shows {person!r} here and somebody else in a row above: correct it, or say by x, y, "
        "width and height where in the image."
    )
    refuse(where, table, _differing(pictures, pd.factorize(table["person"])[0])[1], words)
