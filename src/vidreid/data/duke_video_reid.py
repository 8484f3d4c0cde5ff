"""DukeMTMC-VideoReID."""

from typing import ClassVar

from vidreid.data.benchmark import Benchmark
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.protocols import Protocol
from vidreid.data.readers.duke_video_reid_reader import DUKE_VIDEO_REID, TRAIN_FOLDER, read_duke_video_reid

__all__ = ["DukeVideoReidDataModule", "read_duke_video_reid"]


class DukeVideoReidDataModule(ReidDataModule):
    """Loaders of DukeMTMC-VideoReID; the arguments are those of ``ReidDataModule``."""

    protocols: ClassVar[dict[str, Protocol]] = dict(DUKE_VIDEO_REID.protocols)
    train_split: ClassVar[str] = TRAIN_FOLDER
    # Queries and gallery lie in two folders, but share a frame list.
    test_split: ClassVar[str] = "test"

    def read(self) -> Benchmark:
        """Read the folders; counts that differ from the published ones are an error under ``strict``."""
        return read_duke_video_reid(self.root, strict=self.strict)
