from collections import Counter

import numpy as np
import pytest

from vidreid.data.samplers import EvaluationSampler, IdentitySampler, TrackletSampler

PIDS = np.repeat([0, 1, 2, 3, 4, 5, 6], [1, 2, 3, 9, 4, 5, 8])


def _epoch(sampler, epoch):
    sampler.set_epoch(epoch)
    return list(sampler)


def _tracklets(world_size=1, rank=0, seed=3):
    return TrackletSampler(23, 4, seed, world_size, rank)


def _identities(world_size=1, rank=0, seed=3, **options):
    return IdentitySampler(PIDS, 2, 3, seed, world_size, rank, **options)


@pytest.mark.parametrize("make", [_tracklets, _identities])
def test_an_epoch_is_a_function_of_seed_and_epoch(make):
    fresh = _epoch(make(), 5)
    used = make()
    for epoch in range(5):
        _epoch(used, epoch)
    assert _epoch(used, 5) == fresh
    assert _epoch(used, 6) != fresh
    assert _epoch(make(seed=4), 5) != fresh
    assert len(fresh) == len(make())


@pytest.mark.parametrize("make", [_tracklets, _identities])
def test_no_two_clips_of_two_epochs_share_a_seed(make):
    draws = _epoch(make(), 0) + _epoch(make(), 1)
    assert len({draw.seed for draw in draws}) == len(draws)


def test_every_tracklet_comes_at_most_once_and_batches_are_full():
    draws = _epoch(_tracklets(), 0)
    assert len(draws) == 20
    assert len({draw.row for draw in draws}) == 20
    # 23 tracklets in batches of 4: others are left out in other epochs.
    left_out = {
        frozenset(range(23)) - {draw.row for draw in _epoch(_tracklets(), epoch)} for epoch in range(5)
    }
    assert len(left_out) > 1


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_share_the_tracklets_of_an_epoch(world_size):
    ranks = [_epoch(_tracklets(world_size, rank), 1) for rank in range(world_size)]
    assert len({len(draws) for draws in ranks}) == 1
    assert len(ranks[0]) % 4 == 0
    rows = [draw.row for draws in ranks for draw in draws]
    assert len(set(rows)) == len(rows)
    # Together they see the head of the order that one process sees.
    alone = _epoch(_tracklets(), 1)
    together = [draw for step in zip(*ranks, strict=True) for draw in step]
    assert together[: len(alone)] == alone[: len(together)]


@pytest.mark.parametrize(("world_size", "batches"), [(1, 3), (2, 1), (3, 1)])
def test_identity_batches_under_simulated_ranks(world_size, batches):
    for epoch in range(4):
        ranks = [_epoch(_identities(world_size, rank, visits=2), epoch) for rank in range(world_size)]
        assert {len(draws) for draws in ranks} == {2 * batches * 6}
        for step in range(2 * batches):
            people = Counter()
            for draws in ranks:
                batch = draws[step * 6 : step * 6 + 6]
                mine = Counter(PIDS[draw.row] for draw in batch)
                assert sorted(mine.values()) == [3, 3]
                people.update(mine)
            # No identity lies on two ranks.
            assert len(people) == 2 * world_size


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_a_visit_meets_each_identity_once_over_all_ranks(world_size):
    pids = np.repeat(np.arange(19), 3)
    ranks = [
        _epoch(IdentitySampler(pids, 2, 3, 0, world_size, rank, visits=1), 2) for rank in range(world_size)
    ]
    met = [pids[draw.row] for draws in ranks for draw in draws[::3]]
    assert len(met) == 19 // (2 * world_size) * 2 * world_size
    assert len(set(met)) == len(met)


def test_few_tracklets_are_all_used_before_any_repeats():
    for epoch in range(10):
        draws = _epoch(_identities(), epoch)
        for start in range(0, len(draws), 3):
            rows = [draw.row for draw in draws[start : start + 3]]
            pid = PIDS[rows[0]]
            assert (PIDS[rows] == pid).all()
            assert len(set(rows)) == min(3, (pid == PIDS).sum())


def test_an_epoch_has_about_as_many_clips_as_there_are_tracklets():
    pids = np.repeat(np.arange(10), 12)
    assert len(IdentitySampler(pids, 5, 4)) == 120
    assert len(IdentitySampler(pids, 5, 4, visits=1)) == 40


def test_too_large_batches_are_refused():
    with pytest.raises(ValueError, match="5 training tracklets do not fill a batch of 3 clips on each of 2"):
        TrackletSampler(5, 3, world_size=2)
    with pytest.raises(
        ValueError, match="7 training identities do not fill a batch of 4 identities on each of 2"
    ):
        IdentitySampler(PIDS, 4, 2, world_size=2)


@pytest.mark.parametrize("clips", [1, 2, 7, 8, 9])
@pytest.mark.parametrize("world_size", [1, 2, 3, 4])
def test_evaluation_covers_every_clip_with_equal_ranks(clips, world_size):
    ranks = [list(EvaluationSampler(clips, world_size, rank)) for rank in range(world_size)]
    assert {len(rank) for rank in ranks} == {len(EvaluationSampler(clips, world_size, 0))}
    assert min(len(rank) for rank in ranks) >= 1
    seen = Counter(clip for rank in ranks for clip in rank)
    assert set(seen) == set(range(clips))
    assert sum(seen.values()) - clips < world_size


def test_evaluation_on_one_process_is_in_order():
    assert list(EvaluationSampler(4)) == [0, 1, 2, 3]
