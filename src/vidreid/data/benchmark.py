"""What a benchmark reader hands over: tables, frames, protocols and what the user should know."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.protocols import GALLERY_ROLE, PROTOCOLS, QUERY_ROLE, Protocol, find_protocol
from vidreid.data.tracklets import FrameList
from vidreid.keypoints.in_memory import KeypointArray


@dataclass(frozen=True)
class Benchmark:
    """A benchmark as it lies on disk.

    Attributes:
        name: What results call it.
        root: Where it lies.
        train: Tracklet table of the training split.
        test: Tracklet table of the test split, with ``is_query``.
        train_frames: What ``start`` and ``stop`` of ``train`` point into.
        test_frames: The same for ``test``.
        protocols: The named protocols.
        notices: Sentences for the user, such as counts that differ from the published ones.
        subsets: Named kinds of test tracklets, ``(n,)`` bool over ``test``, whose queries are also reported
            apart; the gallery stays whole.
        person_names: What people are called, by ``pid``, where they have names.
        camera_names: The same of cameras.
        keypoints: Of both frame lists, which are one, if they came with it and were asked for.
    """

    name: str
    root: Path
    train: pd.DataFrame
    test: pd.DataFrame
    train_frames: FrameList
    test_frames: FrameList
    protocols: dict[str, Protocol] = field(default_factory=lambda: dict(PROTOCOLS))
    notices: list[str] = field(default_factory=list)
    subsets: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    person_names: dict[int, str] = field(default_factory=dict)
    camera_names: dict[int, str] = field(default_factory=dict)
    keypoints: KeypointArray | None = None

    def query(self, protocol: str = "official") -> pd.DataFrame:
        """Return the tracklets that ask."""
        roles = find_protocol(protocol, self.protocols).roles(self.test)
        return self.test.loc[(roles & QUERY_ROLE) > 0]

    def gallery(self, protocol: str = "official") -> pd.DataFrame:
        """Return the tracklets that are searched."""
        roles = find_protocol(protocol, self.protocols).roles(self.test)
        return self.test.loc[(roles & GALLERY_ROLE) > 0]
