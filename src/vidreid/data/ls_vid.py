"""LS-VID."""

from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from vidreid.data.benchmark import Benchmark
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.pieces import check_piece_frames, cut_tracklets
from vidreid.data.protocols import Protocol
from vidreid.data.readers.ls_vid_reader import LS_VID, TEST_FOLDER, TRAIN_FOLDER, read_ls_vid

__all__ = ["LsVidDataModule", "read_ls_vid"]


class LsVidDataModule(ReidDataModule):
    """Loaders of LS-VID.

    Attributes:
        piece_frames: Frames of the pieces that training tracklets are cut into, or ``None``.
    """

    protocols: ClassVar[dict[str, Protocol]] = dict(LS_VID.protocols)
    train_split: ClassVar[str] = TRAIN_FOLDER
    test_split: ClassVar[str] = TEST_FOLDER

    def __init__(self, root: str | Path, piece_frames: int | None = None, **settings: Any) -> None:
        """Take the settings; nothing is read before it is needed.

        Args:
            root: Where the benchmark lies.
            piece_frames: Cut training tracklets into pieces of so many frames (much code takes 48 or 64) that
                are drawn as tracklets of their own; ``None`` leaves them whole, as held-out ones always are.
            settings: The other arguments of ``ReidDataModule``.

        Raises:
            ValueError: If a setting is not among the choices.
        """
        super().__init__(root, **settings)
        if piece_frames is not None:
            check_piece_frames(piece_frames)
        self.piece_frames = piece_frames

    @property
    def train_table(self) -> pd.DataFrame:
        """Tracklets to train on, or their pieces, without those held out."""
        whole = super().train_table
        return whole if self.piece_frames is None else cut_tracklets(whole, self.piece_frames)

    def read(self) -> Benchmark:
        """Read the lists; counts that differ from the published ones are an error under ``strict``."""
        return read_ls_vid(self.root, strict=self.strict)
