"""iLIDS-VID."""

from typing import ClassVar

from vidreid.data.benchmark import Benchmark
from vidreid.data.readers.ilids_vid_reader import FOLDER, read_ilids_vid
from vidreid.data.split_datamodule import SplitDataModule

__all__ = ["IlidsVidDataModule", "read_ilids_vid"]


class IlidsVidDataModule(SplitDataModule):
    """Loaders of iLIDS-VID; the arguments are those of ``SplitDataModule``."""

    # Training and test lie in one folder and share a frame list, hence a keypoint store.
    train_split: ClassVar[str] = FOLDER
    test_split: ClassVar[str] = FOLDER

    def read(self) -> Benchmark:
        """Read the split; counts that differ from the published ones are an error under ``strict``."""
        return read_ilids_vid(self.root, self.split, strict=self.strict)
