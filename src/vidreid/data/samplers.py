"""Which tracklets come when, on one process or many: pure functions of (seed, epoch, rank).

All samplers yield single entries, batch after batch, for a ``DataLoader(sampler=..., batch_size=...)``: there
Lightning finds ``set_epoch`` and calls it, also after a resume. Set ``use_distributed_sampler=False``.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

_SEEDS = 2**63


class Draw(NamedTuple):
    """One training clip to be made: everything random about it follows from ``seed``.

    Attributes:
        row: Row of the training table.
        seed: Seed of its clip sampling and its augmentation.
    """

    row: int
    seed: int


class TrackletSampler(Sampler[Draw]):
    """Every tracklet once an epoch in random order, cut to full batches, as many on each rank."""

    def __init__(
        self, tracklets: int, batch_size: int, seed: int = 0, world_size: int = 1, rank: int = 0
    ) -> None:
        """Plan the epochs.

        Args:
            tracklets: Rows of the training table.
            batch_size: Clips of a batch on one process.
            seed: Base seed, the same on all ranks.
            world_size: Number of processes.
            rank: Number of this process.

        Raises:
            ValueError: If not even one batch can be filled.
        """
        self.tracklets, self.batch_size = tracklets, batch_size
        self.seed, self.world_size, self.rank, self.epoch = seed, world_size, rank, 0
        self.batches = tracklets // (batch_size * world_size)
        if self.batches == 0:
            raise ValueError(
                f"{tracklets} training tracklets do not fill a batch of {batch_size} clips on each of "
                f"{world_size} process(es): make the batch smaller."
            )

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration gives."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def __iter__(self) -> Iterator[Draw]:
        generator = np.random.default_rng((self.seed, self.epoch))
        order = generator.permutation(self.tracklets)
        seeds = generator.integers(_SEEDS, size=self.tracklets)
        for place in range(self.rank, len(self) * self.world_size, self.world_size):
            yield Draw(int(order[place]), int(seeds[place]))


class IdentitySampler(Sampler[Draw]):
    """Batches of P identities with K tracklets each, as batch-hard mining needs them.

    P and K count on **one process**: with two processes a step sees 2 P identities, none of them on both.
    Each rank derives the same order from (seed, epoch) and takes its own slice. An identity with fewer than K
    tracklets gives all of them and repeats some; each repeat is another clip.
    """

    def __init__(
        self,
        pids: NDArray[np.int64],
        identities: int,
        tracklets: int,
        seed: int = 0,
        world_size: int = 1,
        rank: int = 0,
        visits: int | None = None,
    ) -> None:
        """Plan the epochs.

        Args:
            pids: ``(n,)`` identity of each row of the training table.
            identities: P, identities of a batch on one process.
            tracklets: K, tracklets of an identity in a batch.
            seed: Base seed, the same on all ranks.
            world_size: Number of processes.
            rank: Number of this process.
            visits: How often an identity comes up in an epoch; by default so often that an epoch has about as
                many clips as there are tracklets. In each visit the identities that do not fill a batch are
                left out, others each time.

        Raises:
            ValueError: If there are too few identities for one batch on each process.
        """
        self.identities, self.tracklets = identities, tracklets
        self.seed, self.world_size, self.rank, self.epoch = seed, world_size, rank, 0
        order = np.argsort(pids, kind="stable")
        _, firsts = np.unique(pids[order], return_index=True)
        self._members = np.split(order, firsts[1:])
        count = len(self._members)
        self._batches = count // (identities * world_size)
        if self._batches == 0:
            raise ValueError(
                f"{count} training identities do not fill a batch of {identities} identities on each of "
                f"{world_size} process(es): make identities_per_batch smaller."
            )
        self.visits = visits or max(1, round(len(pids) / (count * tracklets)))

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration gives."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.visits * self._batches * self.identities * self.tracklets

    def __iter__(self) -> Iterator[Draw]:
        generator = np.random.default_rng((self.seed, self.epoch))
        for _ in range(self.visits):
            # All ranks draw for all identities, so that their generators stay in step.
            order = generator.permutation(len(self._members))
            draws = [self._draw(generator, self._members[identity]) for identity in order]
            for batch in range(self._batches):
                first = (batch * self.world_size + self.rank) * self.identities
                for identity_draws in draws[first : first + self.identities]:
                    yield from identity_draws

    def _draw(self, generator: np.random.Generator, members: NDArray[np.int64]) -> list[Draw]:
        rows = generator.permutation(members)[: self.tracklets]
        if len(rows) < self.tracklets:
            rows = np.concatenate([rows, generator.choice(members, self.tracklets - len(rows))])
        seeds = generator.integers(_SEEDS, size=self.tracklets)
        return [Draw(int(row), int(seed)) for row, seed in zip(rows, seeds, strict=True)]


class EvaluationSampler(Sampler[int]):
    """Every clip exactly once over all ranks, but for repeats that make the ranks equally long.

    A forward pass that syncs needs as many steps on each rank. The repeats carry the same ``clips`` number,
    by which the metric drops them.
    """

    def __init__(self, clips: int, world_size: int = 1, rank: int = 0) -> None:
        """Plan the pass.

        Args:
            clips: Clips of the evaluation data set.
            world_size: Number of processes.
            rank: Number of this process.
        """
        self.clips, self.world_size, self.rank = clips, world_size, rank

    def __len__(self) -> int:
        return -(-self.clips // self.world_size)

    def __iter__(self) -> Iterator[int]:
        for step in range(len(self)):
            yield (step * self.world_size + self.rank) % self.clips
