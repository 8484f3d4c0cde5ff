"""What a network returns in training."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor


class TrainingOutputs(NamedTuple):
    """Named logits and embeddings of one training forward pass.

    Attributes:
        logits: One entry a classifier, ``(B, C)`` for a clip or ``(B, T, C)`` for its frames.
        embeddings: One entry a vector that a metric loss reads, ``(B, D)`` or ``(B, T, D)``.
        frame_scores: ``(B, T)``, raw scores of temporal attention, before the softmax; ``None`` without it.
        visible: By the name of a head, ``(B,)`` bool: clips in which its body part shows. Heads that are not
            named show in all clips.
    """

    logits: dict[str, Tensor]
    embeddings: dict[str, Tensor]
    frame_scores: Tensor | None = None
    visible: Mapping[str, Tensor] = MappingProxyType({})
