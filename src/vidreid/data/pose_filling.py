"""Fills the keypoint store of a frame list, and goes on where an earlier call was stopped."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from vidreid.data.frame_poses import PoseFinder
from vidreid.data.pose_chunks import PoseChunks
from vidreid.data.tracklets import FrameList
from vidreid.errors import DataError
from vidreid.keypoints.store import KeypointStore, write_keypoints


@dataclass(frozen=True)
class Filled:
    """What has become of a store.

    Attributes:
        store: The store.
        done_before: Whether it was there already.
        unreadable: Rows of the frames that could not be read; empty where it was there already.
    """

    store: KeypointStore
    done_before: bool
    unreadable: NDArray[np.int64]


@dataclass(frozen=True)
class StoreFiller:
    """Fills stores.

    What is done lies in the hidden folder ``.<split>.partial`` beside the store until that is written.
    Batches do not reach over the end of a chunk, so that a call that goes on gives a network the same
    batches, and the same bytes come out.

    Attributes:
        finder: Finds the keypoints of frames.
        source: What the store says about where its keypoints come from; another one is another store.
        batch_size: Frames that a network is given at once.
        chunk: Frames after which what is done is written.
        progress: Show a bar.

    Raises:
        ValueError: If ``batch_size`` or ``chunk`` is below 1.
    """

    finder: PoseFinder
    source: str
    batch_size: int = 32
    chunk: int = 1024
    progress: bool = True

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.chunk < 1:
            raise ValueError(f"batch_size={self.batch_size} and chunk={self.chunk} must be 1 or more.")

    def fill(self, folder: Path, split: str, frames: FrameList, restart: bool = False) -> Filled:
        """Fill the store of a frame list.

        Args:
            folder: The folder of the store.
            split: Name of the frame list, such as ``bbox_train``.
            frames: The frames.
            restart: Forget what is there, finished or not, at once: if this is stopped, a call without
                ``restart`` goes on.

        Raises:
            FrameError: If a frame cannot be read, unless the finder skips it.
            DataError: If the store, or the partial one, was made otherwise or for other frames.
        """
        chunks = PoseChunks(folder / f".{split}.partial", len(frames), self.chunk)
        if restart:
            chunks.remove()
            for file in (folder / f"{split}.json", folder / f"{split}.npy"):
                file.unlink(missing_ok=True)
        elif (store := self._finished(folder, split, frames)) is not None:
            chunks.remove()
            return Filled(store, True, np.empty(0, np.int64))
        chunks.start(self._settings(frames))
        keypoints = self._keypoints(chunks, split, frames)
        unreadable = np.flatnonzero(np.isnan(keypoints[:, 0, 0]))
        keypoints[unreadable] = 0.0
        crc, layout = frames.names_crc(), self.finder.layout
        write_keypoints(folder, split, keypoints, crc, self.source, layout)
        chunks.remove()
        store = KeypointStore.open(folder, split, len(frames), crc)
        return Filled(store, False, unreadable)

    def _settings(self, frames: FrameList) -> dict[str, Any]:
        """Return all that the bytes of a store depend on."""
        return {
            "source": self.source,
            "skeleton": self.finder.tool.skeleton,
            "choose": self.finder.choose,
            "batch_size": self.batch_size,
            "chunk": self.chunk,
            "frames": len(frames),
            "names_crc32": frames.names_crc(),
        }

    def _finished(self, folder: Path, split: str, frames: FrameList) -> KeypointStore | None:
        """Return the store if it is whole."""
        if not ((folder / f"{split}.npy").is_file() and (folder / f"{split}.json").is_file()):
            return None
        store = KeypointStore.open(folder, split, len(frames), frames.names_crc())
        if store.source != self.source:
            raise DataError(
                f"{store.path} holds keypoints of another source ({store.source} instead of {self.source}): "
                "choose another name=, or set restart=true to replace them."
            )
        return store

    def _keypoints(self, chunks: PoseChunks, split: str, frames: FrameList) -> NDArray[np.float16]:
        """Return the keypoints of all frames, read from chunks or found and written to them."""
        keypoints = np.empty((len(frames), 17, 3), np.float16)
        todo: dict[int, tuple[Path, range]] = {}
        for file, rows in chunks.rows():
            stored = chunks.read(file, len(rows))
            if stored is None:
                todo[rows.stop] = file, rows
            else:
                keypoints[rows.start : rows.stop] = stored
        batches = [batch for _, rows in todo.values() for batch in self._batches(rows)]
        left = sum(map(len, batches))
        with Progress(*_COLUMNS, disable=not self.progress) as bar:
            task = bar.add_task(split, total=len(frames), completed=len(frames) - left)
            for rows, found in self.finder.find(frames, batches):
                start, stop = rows[0], rows[-1] + 1
                keypoints[start:stop] = found
                bar.advance(task, len(rows))
                if stop in todo:
                    file, whole = todo[stop]
                    chunks.write(file, keypoints[whole.start : whole.stop])
        return keypoints

    def _batches(self, rows: range) -> Iterator[range]:
        for start in range(0, len(rows), self.batch_size):
            yield rows[start : start + self.batch_size]


class _Speed(ProgressColumn):
    """Frames a second."""

    def render(self, task: Task) -> Text:
        """Return the column."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} frames/s")


_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TextColumn("frames"),
    _Speed(),
    TimeRemainingColumn(),
)
