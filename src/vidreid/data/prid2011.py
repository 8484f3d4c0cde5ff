"""PRID2011."""

from typing import ClassVar

from vidreid.data.benchmark import Benchmark
from vidreid.data.readers.prid2011_reader import FOLDER, read_prid2011
from vidreid.data.split_datamodule import SplitDataModule

__all__ = ["Prid2011DataModule", "read_prid2011"]


class Prid2011DataModule(SplitDataModule):
    """Loaders of PRID2011; the arguments are those of ``SplitDataModule``."""

    # Training and test lie in one folder and share a frame list, hence a keypoint store.
    train_split: ClassVar[str] = FOLDER
    test_split: ClassVar[str] = FOLDER

    def read(self) -> Benchmark:
        """Read the split; counts that differ from the published ones are an error under ``strict``."""
        return read_prid2011(self.root, self.split, strict=self.strict)
