"""Splitting people into those to train on and those to search for, and choosing who asks."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vidreid.data.tracklets import column


def choose_test_people(table: pd.DataFrame, test_share: float, seed: int) -> NDArray[np.int64]:
    """Draw the people of the test; all others are for training.

    Whom one camera alone has seen cannot be searched for in another: they go to training first.

    Args:
        table: Tracklet table; identity 0, of whom nobody knows who they are, plays no part.
        test_share: Share of the people, between 0 and 1.
        seed: Seed of the split.

    Returns:
        Sorted ``pid`` of the test. There may be fewer than the share says, even none: people whom two cameras
        have seen can be few, and at least two people remain to train on.

    Raises:
        ValueError: For another share.
    """
    if not 0 < test_share < 1:
        raise ValueError(
            f"data.test_share={test_share} is no share of the people: choose one between 0 and 1."
        )
    cameras = table.loc[table["pid"] > 0].groupby("pid")["camera"].nunique()
    findable = cameras.index.to_numpy(dtype=np.int64)[cameras.to_numpy() >= 2]
    count = min(max(round(test_share * len(cameras)), 1), len(findable), max(len(cameras) - 2, 0))
    return np.sort(np.random.default_rng(seed).choice(findable, count, replace=False))


def one_query_a_camera(table: pd.DataFrame, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Choose who asks as in MARS: one tracklet of each (identity, camera).

    Args:
        table: Tracklet table.
        generator: Draws them.

    Returns:
        ``(n,)``, True for those that ask.
    """
    # A random order, of which the first of each (identity, camera) asks.
    shuffled = table.iloc[generator.permutation(len(table))]
    queries = shuffled.drop_duplicates(["pid", "camera"])["tracklet"]
    return np.isin(column(table, "tracklet"), queries.to_numpy())
