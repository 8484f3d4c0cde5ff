"""Descriptors joined from segments, of which some may not show."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Segments:
    """How a descriptor is joined: a global part and body parts, say.

    Attributes:
        sizes: Values of each of the ``S`` segments, in order; their sum is ``D``.
        weights: Share that each segment is expected to have in a squared distance, in any unit; by default
            the sizes.

    Raises:
        ValueError: If a size or weight is not positive, or there is not one weight a segment.
    """

    sizes: tuple[int, ...]
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        weights = self.weights or self.sizes
        if not self.sizes or min(self.sizes) < 1:
            raise ValueError(f"Segments of sizes {self.sizes}: at least one, each of one value or more.")
        if len(weights) != len(self.sizes) or not all(0 < weight < math.inf for weight in weights):
            raise ValueError(
                f"{len(self.sizes)} segments have the weights {weights}: give each a positive number."
            )

    def shares(self, device: torch.device) -> Tensor:
        """Return the weights, ``(S,)`` float32."""
        return torch.tensor(self.weights or self.sizes, dtype=torch.float32, device=device)

    def check(self, features: Tensor, visible: Tensor) -> None:
        """Refuse descriptors or visibility of another form.

        Args:
            features: ``(n, D)``.
            visible: ``(n, S)``.

        Raises:
            ValueError: With both forms.
        """
        if features.shape[1] != sum(self.sizes) or visible.shape != (len(features), len(self.sizes)):
            raise ValueError(
                f"{len(self.sizes)} segments with {sum(self.sizes)} values in all do not go with descriptors "
                f"of shape {tuple(features.shape)} and visibility of shape {tuple(visible.shape)}."
            )

    def hide(self, features: Tensor, visible: Tensor) -> Tensor:
        """Return descriptors whose hidden segments are zero, whatever they held; the same if they are so.

        Args:
            features: ``(n, D)``.
            visible: ``(n, S)`` bool.
        """
        parts = zip(features.split(self.sizes, dim=1), ~visible.T, strict=True)
        if not any(bool(part[hidden].count_nonzero()) for part, hidden in parts):
            return features
        return self.hide_(features.clone(), visible)

    def hide_(self, features: Tensor, visible: Tensor, value: float = 0) -> Tensor:
        """Set the hidden segments to zero, or another value, in place and return the descriptors."""
        for part, hidden in zip(features.split(self.sizes, dim=1), ~visible.T, strict=True):
            part.masked_fill_(hidden[:, None], value)
        return features

    def divide_(self, sums: Tensor, counts: Tensor) -> Tensor:
        """Make means of sums over what shows, in place; a segment that never showed keeps its zeros.

        Args:
            sums: ``(n, D)``, hidden segments counted as zero.
            counts: ``(n, S)``, how often each segment showed.
        """
        for part, count in zip(sums.split(self.sizes, dim=1), counts.T, strict=True):
            part.div_(count.clamp(min=1)[:, None])
        return sums


def refuse_angles(distance: str, normalize: str = "none") -> None:
    """Refuse what has no meaning over the visible segments alone.

    Raises:
        ValueError: For another distance than the Euclidean or for descriptors scaled to length 1.
    """
    if distance != "euclidean" or normalize != "none":
        raise ValueError(
            f"distance={distance} with normalize={normalize} cannot leave hidden parts out: a length changes "
            "with the parts that show, so use distance=euclidean and normalize=none."
        )


def check_visibility(
    query: Tensor,
    gallery: Tensor,
    distance: str,
    segments: Segments | None,
    query_visible: Tensor | None,
    gallery_visible: Tensor | None,
) -> None:
    """Refuse visibility that descriptors or distance do not go with.

    Args:
        query: ``(Q, D)``.
        gallery: ``(G, D)``.
        distance: Which one.
        segments: How descriptors are joined.
        query_visible: ``(Q, S)``; ``None``, on both sides, where all always shows.
        gallery_visible: ``(G, S)``.

    Raises:
        ValueError: If one side has visibility only, segments are missing, forms disagree or the distance is
            not Euclidean.
    """
    if query_visible is None and gallery_visible is None:
        return
    if query_visible is None or gallery_visible is None or segments is None:
        raise ValueError("Visible parts need the visibility of queries and gallery, and the segments.")
    refuse_angles(distance)
    segments.check(query, query_visible)
    segments.check(gallery, gallery_visible)
