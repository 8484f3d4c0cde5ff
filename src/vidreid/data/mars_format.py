"""What MARS looks like on disk: file names, folders and the five files of ``info/``.

Pure knowledge of the format, shared by the reader and by the writer of procedural trees. Source: the MARS
data set (Zheng et al., ECCV 2016) and its evaluation package.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from vidreid.data.readers.mat_files import read_whole_numbers
from vidreid.errors import DataError, MissingDataError
from vidreid.files import write_whole

JUNK_PID = -1
"""Boxes that are too poor to be judged; their folder is literally ``00-1``."""
DISTRACTOR_PID = 0
"""People (or false boxes) that nobody searches for; their folder is ``0000``."""

TRAIN_FOLDER = "bbox_train"
TEST_FOLDER = "bbox_test"
INFO_FOLDER = "info"
TRAIN_NAMES = "train_name.txt"
TEST_NAMES = "test_name.txt"
# File name and the variable inside; the files of the tracklets are plural, their variables singular.
TRAIN_TRACKS = ("tracks_train_info.mat", "track_train_info")
TEST_TRACKS = ("tracks_test_info.mat", "track_test_info")
QUERY = ("query_IDX.mat", "query_IDX")

_NAME = re.compile(r"(00-1|\d{4})C(\d)T(\d{4})F(\d{3,})\.(?:jpg|jpeg|png)", re.IGNORECASE)


@dataclass(frozen=True)
class MarsInfo:
    """The contents of ``info/``.

    Attributes:
        train_rows: ``(n, 4)`` int64: first and last frame (1-based, inclusive, into the name list), identity,
            camera.
        test_rows: The same for the test tracklets, queries included.
        query: ``(q,)`` int64, **0-based** rows of ``test_rows``.
        train_names: ``(frames,)`` byte strings, or ``None`` where the list is missing.
        test_names: The same for the test frames.
        prefix: What the names of the files begin with beside MARS's own, for messages.
    """

    train_rows: NDArray[np.int64]
    test_rows: NDArray[np.int64]
    query: NDArray[np.int64]
    train_names: NDArray[np.bytes_] | None
    test_names: NDArray[np.bytes_] | None
    prefix: str = ""


def frame_name(pid: int, camera: int, tracklet: int, frame: int) -> str:
    """Return the file name of a frame, such as ``0001C1T0001F001.jpg``.

    Args:
        pid: -1 (junk, written ``00-1``) or 0..9999.
        camera: 1..9.
        tracklet: Number of the tracklet, from 1 for each person.
        frame: Number of the frame, from 1; numbers above 999 widen the name.

    Raises:
        DataError: If a number does not fit its place in the name.
    """
    if not 1 <= camera <= 9 or not 0 <= tracklet <= 9999 or frame < 0:
        raise DataError(
            f"Camera {camera}, tracklet {tracklet}, frame {frame} do not fit a MARS name: "
            "the camera must be 1..9 and the tracklet at most 9999."
        )
    return f"{folder_of(pid)}C{camera}T{tracklet:04d}F{frame:03d}.jpg"


def folder_of(pid: int) -> str:
    """Return the folder of an identity: ``00-1``, ``0000``, ``0001`` …

    Raises:
        DataError: If the identity does not fit four characters.
    """
    if not -1 <= pid <= 9999:
        raise DataError(f"Identity {pid} does not fit a MARS name: use -1 (junk), 0 (distractor) or 1..9999.")
    return "00-1" if pid == JUNK_PID else f"{pid:04d}"


def parse_frame_name(name: str) -> tuple[int, int, int, int]:
    """Return ``(pid, camera, tracklet, frame)`` of a file name.

    Raises:
        DataError: If the name does not follow the grammar.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise DataError(f"{name!r} is no MARS frame name: expected something like 0001C1T0001F001.jpg.")
    pid, camera, tracklet, frame = match.groups()
    return int(pid.replace("00-1", "-1")), int(camera), int(tracklet), int(frame)


def names_crc(names: Sequence[str] | NDArray[np.bytes_]) -> int:
    """Return the CRC-32 of a name list, joined by line feeds: it ties keypoints to their frames."""
    if isinstance(names, np.ndarray):
        return zlib.crc32(b"\n".join(names.tolist()))
    return zlib.crc32("\n".join(names).encode("ascii"))


def write_info(
    root: Path,
    train_names: Sequence[str],
    test_names: Sequence[str],
    train_rows: NDArray[np.integer],
    test_rows: NDArray[np.integer],
    query: NDArray[np.integer],
) -> None:
    """Write the five files of ``<root>/info``, each whole or not at all.

    Args:
        root: The root of the tree.
        train_names: File names of the training frames in order.
        test_names: File names of the test frames in order.
        train_rows: ``(n, 4)``: first and last frame (1-based, inclusive), identity, camera.
        test_rows: The same for the test tracklets.
        query: 1-based rows of ``test_rows``.
    """
    info = Path(root) / INFO_FOLDER
    for file_name, names in ((TRAIN_NAMES, train_names), (TEST_NAMES, test_names)):
        with write_whole(info / file_name) as temporary:
            temporary.write_bytes("".join(f"{name}\r\n" for name in names).encode("ascii"))
    for (file_name, variable), rows in ((TRAIN_TRACKS, train_rows), (TEST_TRACKS, test_rows)):
        _write_matrix(info / file_name, variable, np.asarray(rows, dtype=np.int32).reshape(-1, 4))
    _write_matrix(info / QUERY[0], QUERY[1], np.asarray(query, dtype=np.uint16).reshape(1, -1))


def read_info(
    info: Path,
    title: str = "MARS",
    source: str = "the MARS evaluation package (its folder info/)",
    prefixes: Sequence[str] = ("",),
) -> MarsInfo:
    """Read the files of an ``info`` folder.

    Args:
        info: The folder that holds the ``.mat`` files and, if present, the name lists.
        title: Of the data set, for messages.
        source: Where its metadata are from, for messages.
        prefixes: What the names of files and variables may begin with beside MARS's own. All files have the
            first of these with which one of them is there; the variables may have any.

    Returns:
        The rows in int64, the query rows 0-based, the names as byte strings.

    Raises:
        MissingDataError: If a ``.mat`` file is missing.
        DataError: If a file is unreadable or holds something else.
    """
    info = Path(info)
    matrices = (TRAIN_TRACKS, TEST_TRACKS, QUERY)
    there = [start for start in prefixes if any((info / f"{start}{name}").is_file() for name, _ in matrices)]
    prefix = there[0] if there else prefixes[-1]
    missing = [f"{prefix}{name}" for name, _ in matrices if not (info / f"{prefix}{name}").is_file()]
    if missing:
        raise MissingDataError(
            f"{info} lacks {', '.join(missing)}: take these files from {source} and put them there."
        )

    def read(file: tuple[str, str]) -> tuple[Path, NDArray[np.int64]]:
        path, names = info / f"{prefix}{file[0]}", [f"{start}{file[1]}" for start in prefixes]
        return path, read_whole_numbers(path, names, f"{title} metadata")

    return MarsInfo(
        train_rows=_rows(*read(TRAIN_TRACKS)),
        test_rows=_rows(*read(TEST_TRACKS)),
        query=read(QUERY)[1].reshape(-1) - 1,  # MATLAB counts from 1
        train_names=read_names(info / f"{prefix}{TRAIN_NAMES}"),
        test_names=read_names(info / f"{prefix}{TEST_NAMES}"),
        prefix=prefix,
    )


def read_names(path: Path) -> NDArray[np.bytes_] | None:
    """Read a name list with either kind of line end; ``None`` if there is no such file."""
    if not path.is_file():
        return None
    return np.array(path.read_bytes().split(), dtype=np.bytes_)


def _rows(path: Path, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise DataError(f"{path}: the tracklets have shape {rows.shape}, expected (tracklets, 4).")
    return rows


def _write_matrix(path: Path, variable: str, matrix: NDArray[np.generic]) -> None:
    content = BytesIO()
    savemat(content, {variable: matrix}, format="5", do_compression=True)
    # The first 116 bytes are free text into which the date would go: the same data shall give the same bytes.
    header = b"MATLAB 5.0 MAT-file, written by vidreid".ljust(116)
    with write_whole(path) as temporary:
        temporary.write_bytes(header + content.getvalue()[116:])
