"""KeyRe-ID (Kim, Song, Baek and Noh, 2025)."""

from vidreid.models.key_reid.guidance import PartGuidance
from vidreid.models.key_reid.network import KeyReID

__all__ = ["KeyReID", "PartGuidance"]
