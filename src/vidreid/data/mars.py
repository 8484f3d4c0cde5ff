"""MARS and every set in its format."""

from vidreid.data.benchmark import Benchmark
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.readers.mars_reader import read_mars

__all__ = ["MarsDataModule", "read_mars"]


class MarsDataModule(ReidDataModule):
    """Loaders of a tree in MARS format; the arguments are those of ``ReidDataModule``."""

    def read(self) -> Benchmark:
        """Read the tree; counts that differ from MARS are an error under ``strict``."""
        return read_mars(self.root, strict=self.strict)
