"""What a loss term returns and how it is called."""

from collections.abc import Mapping
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


class LossTerm(Protocol):
    """A loss over what a network gives in training."""

    def __call__(
        self, logits: Mapping[str, Tensor], embeddings: Mapping[str, Tensor], pids: Tensor
    ) -> LossValue:
        """Return the loss of named logits and embeddings for the labels ``pids`` ``(B,)``."""
        ...
