"""Re-ranking: distances that depend on the whole gallery. Never to be mixed with plain numbers."""

from vidreid.metrics.reranking.k_reciprocal import KReciprocal, KReciprocalDistances
from vidreid.metrics.reranking.method import Reranking, RowDistances
from vidreid.metrics.reranking.query_expansion import AlphaExpansion, AverageExpansion, expanded_queries

__all__ = [
    "AlphaExpansion",
    "AverageExpansion",
    "KReciprocal",
    "KReciprocalDistances",
    "Reranking",
    "RowDistances",
    "expanded_queries",
]
