"""Query expansion: a query is joined with what it finds, and asks again."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vidreid.metrics.distances import Distance
from vidreid.metrics.full_precision import full_precision
from vidreid.metrics.reranking.item_distances import check_pair
from vidreid.metrics.reranking.method import check_number, check_whole
from vidreid.metrics.reranking.neighbours import nearest
from vidreid.metrics.segments import Segments
from vidreid.metrics.visible_distances import PairDistances

_CHUNK_ELEMENTS = 1 << 22


@torch.no_grad()
def expanded_queries(
    query: Tensor,
    gallery: Tensor,
    k: int,
    alpha: float | None = None,
    distance: Distance = "euclidean",
    segments: Segments | None = None,
    query_visible: Tensor | None = None,
    gallery_visible: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Return the weighted means of each query and its ``k`` nearest gallery items.

    Without ``alpha`` all weigh the same (Chum et al., "Total Recall", ICCV 2007). With it an item weighs its
    cosine similarity to the query to the power ``alpha``, nothing if that is negative, and the query weighs 1
    (Radenović et al., "Fine-tuning CNN Image Retrieval with No Human Annotation", TPAMI 2018).

    With visibility the mean of each segment runs over those that show it, and the expanded query shows what
    one of them shows.

    Args:
        query: ``(Q, D)`` floats.
        gallery: ``(G, D)``.
        k: Items a query; all if there are fewer.
        alpha: The power, at least 0.
        distance: What is near: ``euclidean`` or ``cosine``. Of equally far items the one that stands first in
            the gallery comes first.
        segments: How descriptors are joined; needed with visibility only.
        query_visible: ``(Q, S)`` bool; ``None``, on both sides, where all always show.
        gallery_visible: ``(G, S)`` bool.

    Returns:
        ``(Q, D)`` float32, and ``(Q, S)`` bool or ``None``; on the gallery's device.

    Raises:
        ValueError: If sizes disagree, or ``alpha`` comes with visibility.
    """
    check_pair(query, gallery)
    if alpha is not None and query_visible is not None:
        raise ValueError(
            "alpha_expansion weighs by the cosine, which cannot leave hidden parts out: use "
            "average_expansion."
        )
    device = gallery.device
    query, gallery = query.to(device).float(), gallery.float()
    visible = None if query_visible is None else query_visible.to(device)
    shown = None if gallery_visible is None else gallery_visible.to(device)
    with full_precision(device):
        distances_of = PairDistances(query, gallery, distance, segments, visible, shown)
        found = [
            nearest(distances_of(slice(start, start + distances_of.tile)), k)[1]
            for start in range(0, len(query), distances_of.tile)
        ]
    near = torch.cat(found) if found else torch.empty(0, k, dtype=torch.int64, device=device)
    if visible is not None and shown is not None and segments is not None:
        return _mean_of_visible(query, gallery, near, visible, shown, segments)
    expanded = torch.empty_like(query)
    chunk = max(1, _CHUNK_ELEMENTS // max(1, near.shape[1] * query.shape[1]))
    for start in range(0, len(query), chunk):
        own, items = query[start : start + chunk], gallery[near[start : start + chunk]]
        weights = items.new_ones(items.shape[:2]) if alpha is None else _similarities(own, items) ** alpha
        total = own + (weights[:, :, None] * items).sum(dim=1)
        expanded[start : start + chunk] = total / (1 + weights.sum(dim=1, keepdim=True))
    return expanded, None


@dataclass(frozen=True)
class AverageExpansion:
    """Average query expansion (AQE), see :func:`expanded_queries`.

    Attributes:
        method: What results call it.
        k: Gallery items that a query is averaged with.

    Raises:
        ValueError: If ``k`` is not a positive whole number.
    """

    k: int = 5
    method = "average_expansion"

    def __post_init__(self) -> None:
        check_whole("k", self.k)

    @property
    def power(self) -> float | None:
        """The power of the similarity that items are weighed by; ``None``: all weigh the same."""
        return None

    def __call__(
        self,
        query: Tensor,
        gallery: Tensor,
        distance: Distance = "euclidean",
        segments: Segments | None = None,
        query_visible: Tensor | None = None,
        gallery_visible: Tensor | None = None,
    ) -> PairDistances:
        """Expand the queries; :class:`~vidreid.metrics.reranking.method.Reranking`."""
        sides = distance, segments, query_visible, gallery_visible
        query, visible = expanded_queries(query, gallery, self.k, self.power, *sides)
        return PairDistances(query, gallery.float(), distance, segments, visible, gallery_visible)


@dataclass(frozen=True)
class AlphaExpansion(AverageExpansion):
    """Query expansion weighted by similarity (alpha-QE), see :func:`expanded_queries`.

    Attributes:
        method: What results call it.
        k: Gallery items that a query is averaged with.
        alpha: Power of the similarity; 0 is the plain average.

    Raises:
        ValueError: If a number is out of its range.
    """

    alpha: float = 3.0
    method = "alpha_expansion"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, 0)

    @property
    def power(self) -> float:
        """The power of the similarity that items are weighed by."""
        return self.alpha


def _similarities(query: Tensor, items: Tensor) -> Tensor:
    """Cosines of ``(n, D)`` to ``(n, k, D)``, at least 0."""
    return torch.nn.functional.cosine_similarity(query[:, None], items, dim=2).clamp(min=0)


def _mean_of_visible(
    query: Tensor, gallery: Tensor, near: Tensor, visible: Tensor, shown: Tensor, segments: Segments
) -> tuple[Tensor, Tensor]:
    query, gallery = segments.hide(query, visible), segments.hide(gallery, shown)
    sums, counts = query.clone(), visible.float()
    for items in near.T:  # one neighbour of all queries after the other
        sums += gallery[items]
        counts += shown[items]
    return segments.divide_(sums, counts), counts > 0
