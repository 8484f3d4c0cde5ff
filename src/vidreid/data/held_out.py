"""Identities of the training split that are held out to choose a checkpoint: never the test split."""

import numpy as np
import pandas as pd

from vidreid.data.identity_split import one_query_a_camera
from vidreid.data.tracklets import column


def hold_out(train: pd.DataFrame, held_out: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split a training table by identity.

    Held-out identities are drawn from those that two or more cameras have seen, since only they can be found.
    As in MARS one tracklet of each (identity, camera) becomes a query.

    Args:
        train: The training table.
        held_out: Number of identities (1 or more), or their share (below 1); 0 holds out none.
        seed: Seed of the split, apart from that of training: the same over all runs to be compared.

    Returns:
        The table to train on and the validation table with ``is_query``; ``tracklet`` stays as it was.

    Raises:
        ValueError: If fewer than two identities remain on either side.
    """
    if held_out == 0:
        return train, train.iloc[:0].assign(is_query=np.zeros(0, dtype=bool))
    pids = np.unique(column(train, "pid"))
    cameras = train.groupby("pid")["camera"].nunique()
    eligible = column(cameras.reset_index(), "pid")[cameras.to_numpy() >= 2]
    count = round(held_out * len(pids)) if held_out < 1 else int(held_out)
    if held_out < 0 or count < 2 or count > len(eligible) or count > len(pids) - 2:
        raise ValueError(
            f"held_out_identities={held_out} means {count} of {len(pids)} training identities: take at least "
            f"2 and at most {min(len(eligible), len(pids) - 2)} (those seen by two cameras), or 0 for none."
        )
    generator = np.random.default_rng(seed)
    chosen = generator.choice(eligible, count, replace=False)
    out = np.isin(column(train, "pid"), chosen)
    validation = train.loc[out]
    queries = one_query_a_camera(validation, generator)
    return train.loc[~out].reset_index(drop=True), validation.assign(is_query=queries).reset_index(drop=True)
