"""CCVID."""

from pathlib import Path
from typing import Any, ClassVar

from vidreid.data.benchmark import Benchmark
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.protocols import Protocol
from vidreid.data.readers.ccvid_reader import CCVID_PROTOCOLS, read_ccvid

__all__ = ["CcvidDataModule", "read_ccvid"]


class CcvidDataModule(ReidDataModule):
    """Loaders of CCVID."""

    protocols: ClassVar[dict[str, Protocol]] = CCVID_PROTOCOLS
    # All tracklets lie in one tree; these name the keypoint stores.
    train_split: ClassVar[str] = "train"
    test_split: ClassVar[str] = "test"

    def __init__(self, root: str | Path, protocol: str = "standard", **settings: Any) -> None:
        """Take the settings; nothing is read before it is needed.

        Args:
            root: Where the benchmark lies.
            protocol: Which outfits are answers: ``standard``, ``same_clothes`` or ``clothes_changing``.
            settings: The other arguments of ``ReidDataModule``.
        """
        super().__init__(root, protocol=protocol, **settings)

    def read(self) -> Benchmark:
        """Read the lists; counts that differ from the published ones are an error under ``strict``."""
        return read_ccvid(self.root, strict=self.strict)
