"""X-MARS."""

from typing import ClassVar

from vidreid.data.benchmark import Benchmark
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.protocols import Protocol
from vidreid.data.readers.x_mars_reader import X_MARS, read_x_mars

__all__ = ["XMarsDataModule", "read_x_mars"]


class XMarsDataModule(ReidDataModule):
    """Loaders of X-MARS; the arguments are those of ``ReidDataModule``."""

    protocols: ClassVar[dict[str, Protocol]] = dict(X_MARS.protocols)
    # Not the folders of the images, in both of which either split lies.
    train_split: ClassVar[str] = "x_mars_train"
    test_split: ClassVar[str] = "x_mars_test"

    def read(self) -> Benchmark:
        """Read the tree; counts that differ from the published ones are an error under ``strict``."""
        return read_x_mars(self.root, strict=self.strict)
