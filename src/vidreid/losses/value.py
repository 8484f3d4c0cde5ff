"""What a loss term returns and how it is called."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from torch import Tensor


class LossValue(NamedTuple):
    """A scalar to minimise and numbers for the log.

    Attributes:
        value: Scalar with a gradient.
        details: Detached scalars by name, for example one a head.
    """

    value: Tensor
    details: dict[str, Tensor]


class ClipFacts(NamedTuple):
    """What some losses need to know of the clips of a batch besides logits, embeddings and labels.

    Attributes:
        frame_scores: ``(B, T)``, raw scores of temporal attention, with a gradient; ``None`` without it.
        erased: ``(B, T)`` bool: frames in which a rectangle was erased; ``None`` where nobody knows.
        visible: By the name of a head, ``(B,)`` bool: clips in which its body part shows. Heads that are not
            named show in all clips.
    """

    frame_scores: Tensor | None = None
    erased: Tensor | None = None
    visible: Mapping[str, Tensor] = MappingProxyType({})


NO_FACTS = ClipFacts()


class LossTerm(Protocol):
    """A loss over what a network gives in training.

    A term whose value for a batch is not the mean of its values for parts of it, because it compares clips,
    has an attribute ``compares_clips = True``.
    """

    def __call__(
        self,
        logits: Mapping[str, Tensor],
        embeddings: Mapping[str, Tensor],
        pids: Tensor,
        facts: ClipFacts = NO_FACTS,
    ) -> LossValue:
        """Return the loss of named logits and embeddings for the labels ``pids`` ``(B,)``."""
        ...
