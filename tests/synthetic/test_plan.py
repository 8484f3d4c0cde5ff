import numpy as np
import pytest

from vidreid.synthetic.plan import SCENES, SIZES, draw_queries, plan_split


@pytest.mark.parametrize("size", ["small", "full"])
def test_test_split_has_the_shares_and_lengths_of_mars(size: str) -> None:
    plan = plan_split(0, "test", SIZES[size])
    pids = np.array([track.pid for track in plan.tracks])
    assert abs(np.mean(pids == 0) - 3248 / 12180) < 0.03
    assert abs(np.mean(pids == -1) - 870 / 12180) < 0.02
    lengths = np.array([track.frames for track in plan.tracks])
    assert lengths.min() == 4
    assert lengths.max() > 3 * np.median(lengths)
    assert lengths.mean() > 1.05 * np.median(lengths)
    assert len(plan.identities) >= (150 if size == "full" else 50)
    cameras = [len({t.camera for t in plan.tracks if t.pid == pid}) for pid in plan.identities]
    assert min(cameras) >= SIZES[size].cameras[0] >= 2
    assert max(cameras) == 6


def test_rows_are_in_the_order_of_names() -> None:
    for split in ("train", "test"):
        tracks = plan_split(3, split, SIZES["small"]).tracks
        keys = [(track.pid, track.camera, track.tracklet) for track in tracks]
        assert keys == sorted(keys)
        assert len(set(keys)) == len(keys)


def test_some_backgrounds_of_the_test_are_unknown_from_training() -> None:
    seen = {
        split: {(t.camera, t.scene) for t in plan_split(0, split, SIZES["small"]).tracks} for split in SCENES
    }
    assert seen["test"] - seen["train"]
    assert seen["test"] & seen["train"]


def test_the_background_says_nothing_about_the_identity() -> None:
    tracks = plan_split(0, "test", SIZES["full"]).tracks
    unseen = [t.scene == 2 for t in tracks if t.pid > 0]
    assert 0.45 < np.mean(unseen) < 0.55
    share = [
        np.mean([t.scene == 2 for t in tracks if t.pid == pid])
        for pid in {t.pid for t in tracks if t.pid > 0}
    ]
    # As widely spread over identities as coin tosses are (standard error of about 7 tosses: 0.19).
    assert 0.14 < np.std(share) < 0.26


def test_each_identity_asks_once_in_each_camera() -> None:
    plan = plan_split(0, "test", SIZES["small"])
    rows = draw_queries(np.random.default_rng(0), plan.tracks)
    pairs = [(plan.tracks[row].pid, plan.tracks[row].camera) for row in rows]
    assert rows == sorted(rows)
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == {(t.pid, t.camera) for t in plan.tracks if t.pid > 0}


def test_families_are_not_neighbours_in_number() -> None:
    families = np.array(list(plan_split(0, "test", SIZES["full"]).families.values()))
    assert np.mean(families[1:] == families[:-1]) < 0.1
