"""The descriptors of one side, with what of them shows."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vidreid.metrics.distances import refuse_unusable, squared_lengths
from vidreid.metrics.segments import Segments


@dataclass(frozen=True)
class Descriptors:
    """Descriptors of the queries or of the gallery, wherever they lie.

    Attributes:
        features: ``(n, D)`` floats; may be mapped from a file.
        visible: ``(n, S)`` bool, the segments that show; ``None`` where all always does.
    """

    features: Tensor
    visible: Tensor | None = None

    def __len__(self) -> int:
        return len(self.features)

    @property
    def width(self) -> int:
        """Values of a descriptor, ``D``."""
        return self.features.shape[1]

    def take(self, rows: Tensor | slice, device: torch.device) -> "Descriptors":
        """Return some rows as float32 on a device: a view where that is possible.

        Args:
            rows: ``(m,)`` int64 or a slice.
            device: Where they go.
        """

        def part(values: Tensor) -> Tensor:
            return values[rows.to(values.device) if isinstance(rows, Tensor) else rows].to(device)

        return Descriptors(part(self.features).float(), None if self.visible is None else part(self.visible))

    def shown(self, segments: Segments | None) -> Tensor:
        """Return the descriptors ``(n, D)`` with their hidden segments zero.

        Args:
            segments: How descriptors are joined, where they come with visibility.
        """
        if self.visible is None or segments is None:
            return self.features
        return segments.hide(self.features, self.visible)


def check_usable(side: Descriptors, segments: Segments | None, name: str) -> None:
    """Refuse descriptors with which distances cannot be computed.

    Args:
        side: Descriptors; what is hidden of them is not looked at.
        segments: How descriptors are joined, where they come with visibility.
        name: What they are, for the error message.

    Raises:
        ValueError: If a descriptor is not finite or so large that float32 distances overflow.
    """
    lengths = []
    for start in range(0, len(side), 1024):
        part = side.take(slice(start, start + 1024), side.features.device)
        lengths.append(squared_lengths(part.shown(segments)))
    if lengths:
        refuse_unusable(torch.cat(lengths), name)
