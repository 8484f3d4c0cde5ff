"""How tracklets are described: by which clips, and what a query is."""

from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from vidreid.data.clips import check_sampling
from vidreid.data.dataset import EvaluationClips
from vidreid.data.protocols import Protocol
from vidreid.data.reading import ClipReader
from vidreid.data.transforms import ClipTransform

Query = Literal["tracklet", "image"]
"""What asks: the whole tracklet, or its middle frame alone."""


@dataclass(frozen=True)
class EvaluationSettings:
    """What the evaluation clips of validation and test have in common.

    Attributes:
        transform: Makes the network's input.
        clip_length: Frames of a clip ``T``.
        sampling: How clips are taken.
        max_clips: At most so many clips of a tracklet under a dense sampling.
        query: What asks.

    Raises:
        ValueError: If a name is not among the choices; the sentence lists them.
    """

    transform: ClipTransform
    clip_length: int
    sampling: str = "evenly"
    max_clips: int | None = None
    query: Query = "tracklet"

    def __post_init__(self) -> None:
        check_sampling(self.sampling, evaluation=True)
        if self.query not in get_args(Query):
            raise ValueError(f"data.query={self.query!r} is unknown: choose one of tracklet, image.")

    def check_protocol(self, protocol: Protocol) -> None:
        """Refuse a protocol that does not go with what asks.

        Raises:
            ValueError: For image queries under the mix-up of cameras, which counts the clips of tracklets.
        """
        if self.query == "image" and protocol.cameras == "legacy_frames":
            raise ValueError(
                f"data.protocol={protocol.name} repeats a released evaluation, and that one asks by whole "
                "tracklets only: use data.query=tracklet, or another protocol."
            )

    def clips(self, table: pd.DataFrame, protocol: Protocol, reader: ClipReader) -> EvaluationClips:
        """Return the clips of the tracklets that play a part under a protocol."""
        roles = protocol.roles(table)
        settings = self.transform, self.clip_length, self.sampling, self.max_clips
        return EvaluationClips(table, roles, reader, *settings, image_queries=self.query == "image")
