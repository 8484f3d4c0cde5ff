"""The tables of a benchmark as a run uses them: what is trained on, what is held out, what is tested."""

from abc import abstractmethod

import pandas as pd
from lightning.pytorch import LightningDataModule

from vidreid.data.benchmark import Benchmark
from vidreid.data.held_out import hold_out
from vidreid.data.tracklets import column


class BenchmarkTables(LightningDataModule):
    """A benchmark that is read when first asked for, and the identities of it that are held out.

    Args:
        held_out_identities: Training identities kept for validation: a number, a share below 1, or 0.
        split_seed: Seed of that choice.
    """

    def __init__(self, held_out_identities: float = 0, split_seed: int = 0) -> None:
        super().__init__()
        self.held_out_identities, self.split_seed = held_out_identities, split_seed
        self._benchmark: Benchmark | None = None
        self._tables: tuple[pd.DataFrame, pd.DataFrame] | None = None

    @abstractmethod
    def read(self) -> Benchmark:
        """Read the benchmark."""

    def setup(self, stage: str | None = None) -> None:
        """Read the tables, if that has not happened."""
        _ = self.train_table

    @property
    def benchmark(self) -> Benchmark:
        """The benchmark, read when first asked for."""
        if self._benchmark is None:
            self._benchmark = self.read()
        return self._benchmark

    @property
    def notices(self) -> list[str]:
        """What the reader wants to tell the user."""
        return self.benchmark.notices

    @property
    def train_table(self) -> pd.DataFrame:
        """Tracklets to train on, without those held out."""
        return self._split()[0]

    @property
    def validation_table(self) -> pd.DataFrame:
        """Tracklets of the held-out identities, with ``is_query``; empty if there are none."""
        return self._split()[1]

    @property
    def num_identities(self) -> int:
        """Number of training labels."""
        return len(set(column(self.train_table, "pid")))

    @property
    def camera_numbers(self) -> list[int]:
        """Numbers of the cameras of the training tracklets, ascending: those a network can get to know."""
        return sorted(set(column(self.train_table, "camera").tolist()))

    def _split(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        if self._tables is None:
            self._tables = hold_out(self.benchmark.train, self.held_out_identities, self.split_seed)
        return self._tables
