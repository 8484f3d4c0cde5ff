"""Tracklets of a split with some of their frames and the keypoints of these."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.clips import evenly
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.reading import ClipReader
from vidreid.data.tracklets import column
from vidreid.visualize.palette import Frame
from vidreid.visualize.ranked import middles

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Example:
    """Some frames of a tracklet.

    Attributes:
        tracklet: Its number in the tracklet table.
        pid: Its identity.
        camera: Its camera.
        frames: ``T`` frames ``(h, w, 3)`` uint8 RGB as they lie on disk.
        keypoints: ``(T, K, 3)`` in pixels of the frames, or ``None`` where nobody asked for them.
    """

    tracklet: int
    pid: int
    camera: int
    frames: list[Frame]
    keypoints: NDArray[np.float32] | None


class Examples:
    """Reads tracklets of a split, spread over it or named by their numbers.

    Args:
        data: The data; its ``keypoints`` says where they come from.
        split: ``train`` or ``test``.
        with_keypoints: Read keypoints too.

    Raises:
        FileNotFoundError: If the keypoints are not there.
        ValueError: If the split is unknown or the data are set up without keypoints.
    """

    def __init__(self, data: ReidDataModule, split: Split, with_keypoints: bool = True) -> None:
        if split not in get_args(Split):
            raise ValueError(f"There is no split {split!r}: choose train or test.")
        if with_keypoints and data.keypoints is None:
            raise ValueError(
                "The data of this run are set up without keypoints: name some by "
                "data.keypoints=detector, data.keypoints=true or a folder."
            )
        self._with_keypoints = with_keypoints
        if with_keypoints:
            data.test_keypoints = True
        else:
            data.keypoints = None
        self._reader: ClipReader = (data.train_data() if split == "train" else data.test_data()).reader
        self.split: Split = split
        self.table: pd.DataFrame = data.train_table if split == "train" else data.benchmark.test

    def spread(self, count: int) -> list[int]:
        """Return the numbers of ``count`` tracklets spread evenly over the persons of the split.

        Evenly, so that nobody picks the pretty ones. Distractors and junk are left out.

        Raises:
            ValueError: If there is none.
        """
        numbers = column(self.table, "tracklet")[column(self.table, "pid") > 0]
        if count < 1 or len(numbers) == 0:
            raise ValueError(f"There is no tracklet to draw: count={count} of {len(numbers)}.")
        return numbers[middles(len(numbers), min(count, len(numbers)))].tolist()

    def read(self, tracklet: int, frames: int, repeat: bool = False) -> Example:
        """Read ``frames`` frames spread evenly over a tracklet, or all of a shorter one.

        Args:
            tracklet: Its number.
            frames: How many.
            repeat: Repeat the last frame of a shorter tracklet until there are as many, as evaluation does.

        Raises:
            ValueError: If the split has no such tracklet.
        """
        if frames < 1:
            raise ValueError(f"A tracklet needs at least one frame to draw, not frames={frames}.")
        found = np.flatnonzero(column(self.table, "tracklet") == tracklet)
        if len(found) == 0:
            last = int(column(self.table, "tracklet").max())
            raise ValueError(
                f"There is no tracklet {tracklet} in the {self.split} split: its numbers end at {last}."
            )
        row = self.table.iloc[int(found[0])]
        start, stop = int(row["start"]), int(row["stop"])
        count = frames if repeat else min(frames, stop - start)
        images, keypoints = self._reader.read(start + evenly(stop - start, count))
        assert (keypoints is not None) == self._with_keypoints
        return Example(tracklet, int(row["pid"]), int(row["camera"]), images, keypoints)


def spread_or_named(examples: Examples, tracklets: Sequence[int] | None, count: int) -> list[int]:
    """Return the named tracklets, or ``count`` spread over the split if none is named."""
    return list(tracklets) if tracklets else examples.spread(count)
