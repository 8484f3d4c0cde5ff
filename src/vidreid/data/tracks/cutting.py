"""Cutting boxes out of frames, a stretch of a video at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.tracks.plan import BOX
from vidreid.data.tracks.videos import Picture, Pictures
from vidreid.errors import DataError
from vidreid.files import build_folder_whole

JPEG_QUALITY = 95


@dataclass(frozen=True)
class Part:
    """Crops of consecutive frames of one video, which are cut together and are there all or none.

    Attributes:
        folder: Where they are put, each as ``<row of the manifest>.jpg``.
        rows: ``(n,)`` rows of the manifest, by frame.
        frames: ``(n,)`` frames, ascending.
        boxes: ``(n, 4)`` left, top, right and bottom in pixels.
    """

    folder: Path
    rows: NDArray[np.int64]
    frames: NDArray[np.int64]
    boxes: NDArray[np.int64]

    def file(self, row: int, ending: str, folder: Path | None = None) -> Path:
        """Return where the crop of a row lies."""
        return (folder or self.folder) / f"{row}{ending}"


def split_into_parts(crops: pd.DataFrame, source: int, folder: Path, size: int) -> list[Part]:
    """Divide the crops of a video into parts of about ``size`` crops, in the order of frames.

    Args:
        crops: See ``Plan``.
        source: Which video.
        folder: Where the parts' folders are.
        size: A part ends with the frame that reaches it.
    """
    own = crops.loc[crops["source"] == source].sort_values("frame_number", kind="stable")
    frames = own["frame_number"].to_numpy(dtype=np.int64)
    firsts = np.unique(frames, return_index=True)[1]
    ends = [*firsts[1:].tolist(), len(frames)]
    parts: list[Part] = []
    start = 0
    for end in ends:
        if end - start >= size or end == len(frames):
            taken = own.iloc[start:end]
            name = f"{source}_{frames[start]:06d}_{frames[end - 1]:06d}"
            rows = taken.index.to_numpy(dtype=np.int64)
            parts.append(Part(folder / name, rows, frames[start:end], taken[BOX].to_numpy(dtype=np.int64)))
            start = end
    return parts


def cut_parts(pictures: Pictures, parts: Sequence[Part], ending: str) -> Iterator[int]:
    """Cut parts of one video on one way through it, and yield the number of crops after each.

    Args:
        pictures: The video.
        parts: By frame.
        ending: ``.jpg`` or ``.png``.

    Raises:
        DataError: If a frame cannot be decoded.
    """
    wanted = np.unique(np.concatenate([part.frames for part in parts])).tolist()
    stream = pictures.read(wanted)
    for part in parts:
        with build_folder_whole(part.folder) as folder:
            frame, picture = -1, None
            for row, number, box in zip(part.rows.tolist(), part.frames.tolist(), part.boxes, strict=True):
                if number != frame:
                    frame, picture = number, next(stream)
                assert picture is not None
                part.file(row, ending, folder).write_bytes(encoded(picture, box, ending))
        yield len(part.rows)


def encoded(picture: Picture, box: NDArray[np.int64], ending: str) -> bytes:
    """Return a crop as the bytes of its file.

    Args:
        picture: ``(H, W, 3)``, blue, green, red.
        box: ``(4,)`` left, top, right and bottom.
        ending: ``.jpg`` or ``.png``.
    """
    left, top, right, bottom = box.tolist()
    crop = np.ascontiguousarray(picture[top:bottom, left:right])
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if ending == ".jpg" else []
    done, data = cv2.imencode(ending, crop, options)
    if not done:
        raise DataError(f"A crop of {right - left}x{bottom - top} pixels cannot be encoded as {ending}.")
    return data.tobytes()
