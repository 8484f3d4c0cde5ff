"""G2A-VReID."""

from typing import ClassVar

from vidreid.data.benchmark import Benchmark
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.protocols import Protocol
from vidreid.data.readers.g2a_vreid_reader import G2A_VREID, read_g2a_vreid

__all__ = ["G2aVReidDataModule", "read_g2a_vreid"]


class G2aVReidDataModule(ReidDataModule):
    """Loaders of G2A-VReID; the arguments are those of ``ReidDataModule``."""

    protocols: ClassVar[dict[str, Protocol]] = dict(G2A_VREID.protocols)

    def read(self) -> Benchmark:
        """Read the tree; counts that differ from the published ones are an error under ``strict``."""
        return read_g2a_vreid(self.root, strict=self.strict)
