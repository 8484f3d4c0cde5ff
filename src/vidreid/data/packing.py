"""Packing the frames of a split into one file, by several threads; an interrupted packing goes on.

The data and the index grow in their places. A description that says whose frames they are comes first, one
that says that they are whole comes last.
"""

import errno
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidreid.data.frame_chunks import encoded_chunks
from vidreid.data.frames import are_boxes
from vidreid.data.packed_frames import (
    INDEX_ROW,
    PackedFrames,
    PackFiles,
    describe_frames,
    read_description,
)
from vidreid.data.reading import OnBadFrame, check_on_bad_frame
from vidreid.data.tracklets import FrameList
from vidreid.errors import DataError
from vidreid.files import write_json


def pack_frames(
    frames: FrameList,
    folder: str | os.PathLike[str],
    split: str,
    workers: int = 8,
    progress: bool = True,
    on_bad_frame: OnBadFrame = "error",
) -> PackedFrames:
    """Pack the frames of a split, or find them packed.

    Whatever stops it, the next call goes on behind the last whole frame, and the files become the same bytes.
    A second process that wants the same pack waits for the first.

    Args:
        frames: The frame list.
        folder: Where the pack goes.
        split: Its name there, such as ``bbox_train``.
        workers: Threads that read, at least one. They wait for the disk most of the time.
        progress: Show a bar.
        on_bad_frame: ``error``, or ``skip_frame``: a frame that is missing or cut off is recorded as absent.

    Returns:
        The packed frame list.

    Raises:
        FrameError: If a frame is missing or cut off, under ``on_bad_frame=error``.
        DataError: If a pack is there that belongs to other frames or is damaged, or none can be written.
        ValueError: For another ``on_bad_frame``, or if the frames are boxes of larger images.
    """
    check_on_bad_frame(on_bad_frame)
    if are_boxes(frames):
        raise ValueError(
            "data.pack=true keeps image files as they are, and here many frames are boxes of one: leave it "
            "out, or cut the boxes into files of their own."
        )
    files = PackFiles.of(folder, split)
    if not _is_whole(files, frames):
        with _named_if_full(files.data), _alone_with(files.data) as data:
            # Another process may have packed while this one waited.
            if not _is_whole(files, frames):
                _pack(frames, files, data, workers, progress, on_bad_frame)
    return PackedFrames(frames, folder, split)


def _is_whole(files: PackFiles, frames: FrameList) -> bool:
    told = read_description(files, frames)
    return told is not None and told.get("whole") is True


def _pack(
    frames: FrameList,
    files: PackFiles,
    data: BinaryIO,
    workers: int,
    progress: bool,
    on_bad_frame: OnBadFrame,
) -> None:
    described = describe_frames(frames)
    if not files.description.exists():
        # What lies there belongs to nobody known.
        data.truncate(0)
        files.index.unlink(missing_ok=True)
        write_json(files.description, {**described, "whole": False})
    columns = TextColumn(files.data.stem), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with files.index.open("ab+") as index, Progress(*columns, disable=not progress) as bar:
        task = bar.add_task("packing", total=len(frames))
        done, stop = _keep_whole(data, index, len(frames), on_bad_frame)
        bar.advance(task, done)
        with closing(encoded_chunks(frames, done, workers, on_bad_frame)) as chunks:
            for chunk in chunks:
                rows = np.empty(len(chunk), INDEX_ROW)
                rows["stop"] = stop + np.cumsum([len(image) for image in chunk])
                rows["crc32"] = [zlib.crc32(image) for image in chunk]
                stop = int(rows["stop"][-1])
                data.write(b"".join(chunk))
                data.flush()
                # Behind its data, so that after a kill every row of the index has them.
                index.write(rows.tobytes())
                index.flush()
                bar.advance(task, len(chunk))
        for file in (data, index):
            os.fsync(file.fileno())
    checksum = zlib.crc32(files.index.read_bytes())
    write_json(files.description, {**described, "whole": True, "bytes": stop, "index_crc32": checksum})


def _keep_whole(data: BinaryIO, index: BinaryIO, frames: int, on_bad_frame: OnBadFrame) -> tuple[int, int]:
    """Cut both files behind the last whole frame and return the number of frames and of bytes kept.

    The bytes are read again: after a power cut a file may be long enough and still hold nothing.
    """
    header = _index_header(frames)
    index.seek(0)
    written = index.read()
    size = data.seek(0, os.SEEK_END)
    done, stop = 0, 0
    if written.startswith(header):
        count = min((len(written) - len(header)) // INDEX_ROW.itemsize, frames)
        rows: NDArray[np.void] = np.frombuffer(written, INDEX_ROW, count, offset=len(header))
        data.seek(0)
        for end, checksum in rows.tolist():
            absent = end == stop and on_bad_frame == "error"  # left out by a call that was to skip it
            if absent or not stop <= end <= size or zlib.crc32(data.read(end - stop)) != checksum:
                break
            done, stop = done + 1, end
        index.truncate(len(header) + done * INDEX_ROW.itemsize)
    else:
        index.truncate(0)
        index.write(header)
    data.truncate(stop)
    return done, stop


def _index_header(frames: int) -> bytes:
    header = io.BytesIO()
    described = {"descr": np.lib.format.dtype_to_descr(INDEX_ROW), "fortran_order": False, "shape": (frames,)}
    np.lib.format.write_array_header_1_0(header, described)
    return header.getvalue()


@contextmanager
def _alone_with(path: Path) -> Iterator[BinaryIO]:
    """Open a file to append to, once no other process has it open in this way."""
    import fcntl  # late, because Windows has none: only packing needs it

    advice = "set data.pack_folder to a folder on another disk"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab+")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise DataError(f"{path} cannot be written ({error.strerror}): {advice}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)  # the system gives it up for a process that ends in any way
        except OSError as error:
            raise DataError(f"{path} cannot be locked ({error.strerror}): {advice}.") from error
        yield file


@contextmanager
def _named_if_full(path: Path) -> Iterator[None]:
    """Give the error of a full disk the name of the file."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
