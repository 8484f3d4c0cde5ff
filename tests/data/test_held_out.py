import numpy as np
import pytest

from vidreid.data.held_out import hold_out
from vidreid.data.tracklets import tracklet_table, training_labels


@pytest.fixture
def train():
    pids = np.repeat(np.arange(1, 41), 8)
    cameras = np.tile([1, 1, 2, 2, 2, 3, 3, 4], 40)
    cameras[pids <= 5] = 1  # seen by one camera only
    return tracklet_table(pids, cameras, np.arange(320) * 4, np.arange(320) * 4 + 4)


def test_none_held_out_changes_nothing(train):
    kept, validation = hold_out(train, 0, 0)
    assert kept.equals(train)
    assert len(validation) == 0
    assert "is_query" in validation


@pytest.mark.parametrize(("held_out", "count"), [(6, 6), (0.25, 10)])
def test_identities_are_on_one_side_only(train, held_out, count):
    kept, validation = hold_out(train, held_out, 1)
    assert validation["pid"].nunique() == count
    assert not set(kept["pid"]) & set(validation["pid"])
    assert sorted([*kept["tracklet"], *validation["tracklet"]]) == list(range(320))
    labels = training_labels(kept)
    assert set(labels) == set(range(40 - count))


def test_each_identity_asks_once_from_each_camera_and_can_be_found(train):
    _, validation = hold_out(train, 12, 2)
    queries = validation[validation["is_query"]]
    pairs = validation[["pid", "camera"]].drop_duplicates()
    assert len(queries) == len(pairs)
    assert not queries.duplicated(["pid", "camera"]).any()
    assert (validation.groupby("pid")["camera"].nunique() >= 2).all()
    # Not always the first tracklet of a camera.
    firsts = validation.drop_duplicates(["pid", "camera"])["tracklet"]
    assert set(firsts) != set(queries["tracklet"])


def test_the_split_follows_its_seed(train):
    one, again, other = (hold_out(train, 6, seed)[1] for seed in (3, 3, 4))
    assert one.equals(again)
    assert set(one["pid"]) != set(other["pid"])


@pytest.mark.parametrize("held_out", [1, -2, 36, 0.99, 0.001])
def test_impossible_numbers_are_refused(train, held_out):
    with pytest.raises(ValueError, match=r"of 40 training identities: take at least 2 and at most 35"):
        hold_out(train, held_out, 0)
