"""Triplet loss of every head of a network with a global branch and parts."""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidreid.losses.branches import mix_branches, of_visible, single_precision
from vidreid.losses.triplet import TripletLoss
from vidreid.losses.value import NO_FACTS, ClipFacts, LossValue

LoneClips = Literal["skip", "count"]
_NO_NEGATIVE = 1e5


class BranchTripletLoss(nn.Module):
    """Batch-hard triplet loss of the vector of each head, the branches weighed by ``mix_branches``.

    Where a part does not show, a clip is neither anchor nor positive nor negative of it. A part for which no
    clip counts is left out.

    Args:
        margin: ``None`` is the soft margin.
        global_weight: Weight of the global branch.
        lone_clips: What clips without another of their identity, or without one of another, do. ``skip``
            leaves them out of the mean. ``count`` is the release: its own distance, 1e-6, stands for the
            positive's and 1e5 for the negative's.

    Raises:
        ValueError: If there is no such choice.
    """

    def __init__(
        self,
        margin: float | None = None,
        global_weight: float = 0.75,
        lone_clips: LoneClips = "skip",
    ) -> None:
        super().__init__()
        if lone_clips not in ("skip", "count"):
            raise ValueError(f"Unknown choice {lone_clips!r} for lone_clips: choose skip or count.")
        self.margin, self.global_weight = margin, global_weight
        self.lone_clips: LoneClips = lone_clips
        self.hardest = TripletLoss(margin)

    def forward(
        self,
        logits: Mapping[str, Tensor],
        embeddings: Mapping[str, Tensor],
        pids: Tensor,
        facts: ClipFacts = NO_FACTS,
    ) -> LossValue:
        """Return the loss of all branches and, as details, of every head.

        Args:
            logits: Its names say which embeddings are heads.
            embeddings: ``(B, D)`` or ``(B, T, D)`` a head; the latter are averaged over time.
            pids: Labels ``(B,)``.
            facts: Says in which clips a part shows.

        Raises:
            ValueError: If no clip of the batch counts for any head.
        """
        values: dict[str, Tensor] = {}
        for name in logits:
            vectors, labels = of_visible(facts.visible, name, embeddings[name], pids)
            if vectors.dim() == 3:
                vectors = vectors.mean(1)
            if self.lone_clips == "count":
                values[name] = self._counting_all(vectors, labels)
            elif name not in facts.visible or _comparable(labels):
                self.hardest.embedding = name
                values[name] = self.hardest({}, {name: vectors}, labels).value
        value = mix_branches(values, self.global_weight)
        return LossValue(value, {name: head.detach() for name, head in values.items()})

    def _counting_all(self, vectors: Tensor, pids: Tensor) -> Tensor:
        positive, negative = released_distances(vectors, pids)
        gap = positive - negative
        return (F.softplus(gap) if self.margin is None else F.relu(gap + self.margin)).mean()


def released_distances(vectors: Tensor, pids: Tensor) -> tuple[Tensor, Tensor]:
    """Return the distances to the hardest positive and negative of every clip as the release has them,
    ``(B,)`` each.

    A clip may be its own hardest positive, at 1e-6; without a negative its distance is 1e5.

    Args:
        vectors: ``(B, D)``.
        pids: Labels ``(B,)``.
    """
    with torch.autocast(vectors.device.type, enabled=False):
        vectors = single_precision(vectors)
        squares = vectors.square().sum(1)
        squared = squares[:, None] + squares[None, :] - 2 * vectors @ vectors.T
        distances = squared.clamp_min(1e-12).sqrt()
        # Rounding noise of a clip's distance to itself.
        own = torch.eye(len(pids), dtype=torch.bool, device=pids.device)
        distances = torch.where(own, 1e-6, distances)
        same = pids[:, None] == pids
        positive = distances.masked_fill(~same, -torch.inf).amax(1)
        negative = torch.where(same.all(1), _NO_NEGATIVE, distances.masked_fill(same, torch.inf).amin(1))
    return positive, negative


def _comparable(pids: Tensor) -> bool:
    """Whether some clip has another of its identity and one of another."""
    same = pids[:, None] == pids
    return bool(((same.sum(1) > 1) & ~same.all(1)).any())
