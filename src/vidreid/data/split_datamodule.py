"""What benchmarks with several random splits share: the number of the split."""

from pathlib import Path
from typing import Any, ClassVar

from vidreid.data.datamodule import ReidDataModule
from vidreid.data.protocols import Protocol
from vidreid.data.readers.camera_pairs import CAMERA_PAIR_PROTOCOLS


class SplitDataModule(ReidDataModule):
    """Loaders of one split of a benchmark of two cameras.

    Attributes:
        split: Its number.
    """

    protocols: ClassVar[dict[str, Protocol]] = CAMERA_PAIR_PROTOCOLS

    def __init__(
        self, root: str | Path, split: int = 0, protocol: str = "cross_camera", **settings: Any
    ) -> None:
        """Take the settings; nothing is read before it is needed.

        Args:
            root: Where the benchmark lies.
            split: Number of the split, from 0.
            protocol: Which test tracklets ask and are searched.
            settings: The other arguments of ``ReidDataModule``.
        """
        super().__init__(root, protocol=protocol, **settings)
        self.split = split
