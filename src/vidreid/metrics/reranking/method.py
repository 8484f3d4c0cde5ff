"""What a method of re-ranking is: other distances for all queries, from descriptors alone."""

import math
from typing import Protocol

from torch import Tensor

from vidreid.metrics.distances import Distance
from vidreid.metrics.segments import Segments


class RowDistances(Protocol):
    """Distances from slices of the queries to the whole gallery.

    Attributes:
        tile: Queries to ask for at a time.
    """

    tile: int

    def __call__(self, rows: slice) -> Tensor:
        """Return ``(n, G)`` float32, not negative."""
        ...


class Reranking(Protocol):
    """Looks at all queries and the whole gallery at once, at no identity and no camera."""

    @property
    def method(self) -> str:
        """What results call it."""
        ...

    def __call__(
        self,
        query: Tensor,
        gallery: Tensor,
        distance: Distance = "euclidean",
        segments: Segments | None = None,
        query_visible: Tensor | None = None,
        gallery_visible: Tensor | None = None,
    ) -> RowDistances:
        """Re-rank.

        Args:
            query: ``(Q, D)`` floats, computed with as float32.
            gallery: ``(G, D)``.
            distance: ``euclidean`` (squared) or ``cosine``, the distance of the plain ranking.
            segments: How descriptors are joined; needed with visibility only.
            query_visible: ``(Q, S)`` bool, which segments show; ``None``, on both sides, where all always do.
            gallery_visible: ``(G, S)`` bool.

        Returns:
            What :func:`~vidreid.metrics.ranking.rank_rows` ranks by; on the device of the gallery.
        """
        ...


def check_whole(name: str, value: int) -> None:
    """Refuse what is no positive whole number.

    Raises:
        ValueError: With the name of the setting.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"Re-ranking has {name}={value}: give a whole number, at least 1.")


def check_number(name: str, value: float, least: float, most: float = math.inf) -> None:
    """Refuse what is no number within bounds.

    Raises:
        ValueError: With the name of the setting.
    """
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if not right or not least <= value <= most or math.isinf(value):
        bounds = f"at least {least}" if most == math.inf else f"between {least} and {most}"
        raise ValueError(f"Re-ranking has {name}={value}: give a number, {bounds}.")
