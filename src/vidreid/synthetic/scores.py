"""Scores of descriptors of a procedural benchmark, with intervals from a bootstrap over identities."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.data.mars_format import (
    JUNK_PID,
    TEST_FOLDER,
    TRAIN_FOLDER,
    folder_of,
    parse_frame_name,
    read_info,
)
from vidreid.keypoints.store import KeypointStore
from vidreid.metrics.bootstrap import percentile_intervals

Floats = NDArray[np.floating]


class SplitReader:
    """The tracklets of one split of a tree, read one at a time.

    Attributes:
        pids: ``(n,)`` int64.
        cameras: ``(n,)`` int64.
        starts: ``(n,)`` first row of each tracklet in the frame list, 0-based.
        stops: ``(n,)`` one after the last.
        is_query: ``(n,)`` bool.
    """

    def __init__(self, root: Path, split: str = "test") -> None:
        info = read_info(root / "info")
        rows = info.test_rows if split == "test" else info.train_rows
        names = info.test_names if split == "test" else info.train_names
        assert names is not None
        self.root = root
        self.folder = TEST_FOLDER if split == "test" else TRAIN_FOLDER
        self.names = names
        self.starts, self.stops = rows[:, 0] - 1, rows[:, 1]
        self.pids, self.cameras = rows[:, 2], rows[:, 3]
        self.is_query = np.zeros(len(rows), bool)
        if split == "test":
            self.is_query[info.query] = True

    def __len__(self) -> int:
        """Return the number of tracklets."""
        return len(self.pids)

    def paths(self, row: int) -> list[Path]:
        """Return the files of a tracklet."""
        names = [name.decode() for name in self.names[self.starts[row] : self.stops[row]]]
        return [self.root / self.folder / folder_of(parse_frame_name(name)[0]) / name for name in names]

    def images(self, row: int) -> NDArray[np.uint8]:
        """Return ``(F, H, W, 3)`` uint8 BGR."""
        pictures = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in self.paths(row)]
        return np.stack([p for p in pictures if p is not None]).astype(np.uint8)

    def keypoints(self, source: str) -> KeypointStore:
        """Return the keypoints of the split: ``true`` or ``detector``."""
        return KeypointStore.open(self.root / "keypoints" / source, self.folder, len(self.names), None)


@dataclass(frozen=True)
class Scores:
    """Scores in percent.

    Attributes:
        rank1: Share of queries whose first answer is right.
        rank5: Share of queries with a right answer among the first five.
        mean_ap: Mean average precision (mean precision at hits).
        mean_inp: Mean inverse negative penalty.
        low: Lower end of the 95 % bootstrap interval of rank-1 over identities.
        high: Upper end.
        same_camera: Share of queries whose nearest other tracklet, of whomever, is from the same camera.
    """

    rank1: float
    rank5: float
    mean_ap: float
    mean_inp: float
    low: float
    high: float
    same_camera: float


def score(features: Floats, split: SplitReader, metric: str = "euclidean", seed: int = 0) -> Scores:
    """Rank the gallery by the official protocol: queries stay in it, junk and the own camera are ignored.

    Args:
        features: ``(n, D)`` one row a tracklet.
        split: The test split.
        metric: ``euclidean`` or ``cosine``.
        seed: Of the bootstrap and of the order of ties.
    """
    rng = np.random.default_rng(seed)
    x = np.asarray(features, np.float64)
    if metric == "cosine":
        x = x / (np.linalg.norm(x, axis=1, keepdims=True) + 1e-12)
    queries = np.nonzero(split.is_query)[0]
    real = split.pids != JUNK_PID
    first, fifth, average, inverse, owners, same = [], [], [], [], [], []
    jitter = rng.random(len(x))
    for q in queries:
        distance = np.sqrt(((x - x[q]) ** 2).sum(1))
        other = np.arange(len(x)) != q
        nearest = np.lexsort((jitter, np.where(real & other, distance, np.inf)))[0]
        same.append(split.cameras[nearest] == split.cameras[q])
        counts = real & ~((split.pids == split.pids[q]) & (split.cameras == split.cameras[q]))
        order = np.lexsort((jitter[counts], distance[counts]))
        hits = np.nonzero((split.pids[counts] == split.pids[q])[order])[0] + 1
        if len(hits) == 0:
            continue
        first.append(hits[0] == 1)
        fifth.append(hits[0] <= 5)
        average.append(float(np.mean(np.arange(1, len(hits) + 1) / hits)))
        inverse.append(len(hits) / hits[-1])
        owners.append(split.pids[q])
    hits = np.array(first, np.float64)[:, None]
    low, high = 100 * percentile_intervals(hits, np.array(owners), seed=seed)[0]
    return Scores(
        rank1=_percent(first),
        rank5=_percent(fifth),
        mean_ap=_percent(average),
        mean_inp=_percent(inverse),
        low=float(low),
        high=float(high),
        same_camera=_percent(same),
    )


def _percent(values: Sequence[float]) -> float:
    return 100 * float(np.mean(values))


def chance(split: SplitReader, seed: int = 0, repeats: int = 20) -> Scores:
    """Score descriptors of pure noise, averaged over ``repeats`` draws."""
    rng = np.random.default_rng(seed)
    draws = [score(rng.standard_normal((len(split), 8)), split, seed=seed + r) for r in range(repeats)]
    values = np.array([astuple(d) for d in draws])
    return Scores(*values.mean(0).tolist())
