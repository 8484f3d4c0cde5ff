"""Which tracklets come when, on one process or many: pure functions of (seed, epoch, rank).

All samplers yield single entries, batch after batch, for a ``DataLoader(sampler=..., batch_size=...)``: there
Lightning finds ``set_epoch`` and calls it, also after a resume. Set ``use_distributed_sampler=False``.

What holds of both training samplers, for every seed:

- **An epoch is a function of (seed, epoch, rank).** There is no state, so a resumed run meets the epochs that
  an uninterrupted one meets.
- **A step does not depend on how it is split.** W ranks with batches of B see together what one process with
  batches of W B sees (P identities on each of W ranks: what one process with W P sees), step by step, down to
  the frames and augmentations that are drawn.
- **Nothing twice in a step**: no tracklet (P x K: no identity) is on two ranks or comes up twice on one.
- **Evenly.** Those who do not fill a step are a window that moves on over one random ring: over any epochs in
  a row, the visits of two tracklets (P x K: of two identities) differ by at most one.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

_SEEDS = 2**63
_RING = (0, 1)
"""Follows the seed where the ring is drawn; an epoch's ``(seed, epoch)`` reads as ``(seed, epoch, 0)``."""


class Draw(NamedTuple):
    """One training clip to be made: everything random about it follows from ``seed``.

    Attributes:
        row: Row of the training table.
        seed: Seed of its clip sampling and its augmentation.
    """

    row: int
    seed: int


class TrackletSampler(Sampler[Draw]):
    """Every tracklet once an epoch in random order, cut to full batches, as many on each rank.

    Up to ``batch_size * world_size - 1`` tracklets do not fill a step: others each epoch, all in turn.
    """

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
        left_out = self.tracklets - len(self) * self.world_size
        order = order[~np.isin(order, _left_out(self.seed, self.tracklets, left_out, self.epoch))]
        for place in range(self.rank, len(order), self.world_size):
            yield Draw(int(order[place]), int(seeds[place]))


class IdentitySampler(Sampler[Draw]):
    """Batches of P identities with K tracklets each, as batch-hard mining needs them.

    P and K count on **one process**: with two processes a step sees 2 P identities, none of them on both.
    Each rank derives the same order from (seed, epoch) and takes its own slice. Identities come up equally
    often, however many tracklets they have. One with fewer than K tracklets gives all of them and repeats
    some; each repeat is another clip.
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
                many clips as there are tracklets. In each visit up to ``P * world_size - 1`` identities do
                not fill a step and are left out: others each time, all in turn.

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
        count, step = len(self._members), self.identities * self.world_size
        for visit in range(self.epoch * self.visits, (self.epoch + 1) * self.visits):
            # All ranks draw for all identities, so that their generators stay in step.
            drawn = [
                (identity, self._draw(generator, self._members[identity]))
                for identity in generator.permutation(count)
            ]
            left_out = set(_left_out(self.seed, count, count % step, visit).tolist())
            draws = [some for identity, some in drawn if identity not in left_out]
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


def _left_out(seed: int, count: int, size: int, turn: int) -> NDArray[np.int64]:
    """Return which ``size`` of ``count`` are left out at a turn: a window that moves on over a random ring.

    Among any turns in a row, each is left out equally often, but for one.
    """
    ring = np.random.default_rng((seed, *_RING)).permutation(count)
    return ring[(turn * size + np.arange(size)) % count]


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
