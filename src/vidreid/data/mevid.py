"""MEVID."""

from typing import ClassVar

from vidreid.data.benchmark import Benchmark
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.protocols import Protocol
from vidreid.data.readers.mevid_reader import MEVID_PROTOCOLS, read_mevid

__all__ = ["MevidDataModule", "read_mevid"]


class MevidDataModule(ReidDataModule):
    """Loaders of MEVID; the arguments are those of ``ReidDataModule``."""

    protocols: ClassVar[dict[str, Protocol]] = MEVID_PROTOCOLS

    def read(self) -> Benchmark:
        """Read the tables; counts that differ from the published ones are an error under ``strict``."""
        return read_mevid(self.root, strict=self.strict)
