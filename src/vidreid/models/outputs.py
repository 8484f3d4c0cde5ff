"""What a network returns in training."""

from typing import NamedTuple

from torch import Tensor


class TrainingOutputs(NamedTuple):
    """Named logits and embeddings of one training forward pass.

    Attributes:
        logits: One entry a classifier, ``(B, C)`` for a clip or ``(B, T, C)`` for its frames.
        embeddings: One entry a vector that a metric loss reads, ``(B, D)`` or ``(B, T, D)``.
    """

    logits: dict[str, Tensor]
    embeddings: dict[str, Tensor]
