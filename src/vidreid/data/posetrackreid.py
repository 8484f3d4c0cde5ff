"""PoseTrackReID."""

from typing import ClassVar

from vidreid.data.benchmark import Benchmark
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.protocols import Protocol
from vidreid.data.readers.posetrackreid_lists import TEST_FOLDER, TRAIN_FOLDER
from vidreid.data.readers.posetrackreid_reader import POSETRACKREID_PROTOCOLS, read_posetrackreid
from vidreid.keypoints.layouts import Layout

__all__ = ["PoseTrackReIDDataModule", "read_posetrackreid"]


class PoseTrackReIDDataModule(ReidDataModule):
    """Loaders of PoseTrackReID; the arguments are those of ``ReidDataModule``."""

    protocols: ClassVar[dict[str, Protocol]] = POSETRACKREID_PROTOCOLS
    train_split: ClassVar[str] = TRAIN_FOLDER
    test_split: ClassVar[str] = TEST_FOLDER
    annotated_layout: ClassVar[Layout] = "posetrack17"

    def read(self) -> Benchmark:
        """Read the lists; counts that differ from the published ones are an error under ``strict``."""
        return read_posetrackreid(self.root, strict=self.strict)
