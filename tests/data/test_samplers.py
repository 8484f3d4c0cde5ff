from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vidreid.data.samplers import EvaluationSampler, IdentitySampler, TrackletSampler

PIDS = np.repeat([0, 1, 2, 3, 4, 5, 6], [1, 2, 3, 9, 4, 5, 8])


def _epoch(sampler, epoch):
    sampler.set_epoch(epoch)
    return list(sampler)


def _steps(ranks, batch):
    """The draws of all ranks in each step, sorted."""
    starts = range(0, len(ranks[0]), batch)
    return [sorted(draw for share in ranks for draw in share[start : start + batch]) for start in starts]


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


def test_all_are_left_out_in_turn():
    """23 tracklets in steps of 4 leave 3 out, 7 identities in steps of 4 leave 3 out: others each time."""
    for everybody, epoch_of in (
        (23, lambda epoch: {draw.row for draw in _epoch(_tracklets(), epoch)}),
        (7, lambda epoch: {PIDS[draw.row] for draw in _epoch(_identities(2, visits=1), epoch)}
            | {PIDS[draw.row] for draw in _epoch(_identities(2, 1, visits=1), epoch)}),
    ):  # fmt: skip
        missing = [set(range(everybody)) - epoch_of(epoch) for epoch in range(everybody)]
        assert {len(some) for some in missing} == {3}
        assert set(Counter(one for some in missing for one in some).values()) == {3}
        assert not missing[0] & missing[1]


def test_the_ring_of_those_left_out_hangs_on_the_seed():
    missing = {frozenset(range(23)) - {d.row for d in _epoch(_tracklets(seed=s), 0)} for s in range(5)}
    assert len(missing) > 3


@given(
    tracklets=st.integers(1, 60), batch=st.integers(1, 6), world=st.integers(1, 4),
    seed=st.integers(0, 2**40), first=st.integers(0, 50), epochs=st.integers(1, 7),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_tracklets_on_any_number_of_ranks(tracklets, batch, world, seed, first, epochs):
    assume(tracklets >= batch * world)
    ranks = [TrackletSampler(tracklets, batch, seed, world, rank) for rank in range(world)]
    alone = TrackletSampler(tracklets, batch * world, seed)
    visits = Counter(dict.fromkeys(range(tracklets), 0))
    for epoch in range(first, first + epochs):
        shares = [_epoch(sampler, epoch) for sampler in ranks]
        steps = _steps(shares, batch)
        assert len(steps) == tracklets // (batch * world)
        # A step does not depend on how it is split, and nothing comes twice in an epoch.
        assert steps == _steps([_epoch(alone, epoch)], batch * world)
        rows = [draw.row for step in steps for draw in step]
        assert len(set(rows)) == len(rows)
        visits.update(rows)
        assert max(visits.values()) - min(visits.values()) <= 1
        assert len({draw.seed for step in steps for draw in step}) == len(rows)


@given(
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=20), people=st.integers(1, 4),
    each=st.integers(1, 5), world=st.integers(1, 4), visits=st.none() | st.integers(1, 3),
    seed=st.integers(0, 2**40), first=st.integers(0, 50), epochs=st.integers(1, 5),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_identities_on_any_number_of_ranks(sizes, people, each, world, visits, seed, first, epochs):
    assume(len(sizes) >= people * world)
    pids = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)) * 3 + 1, sizes))
    ranks = [IdentitySampler(pids, people, each, seed, world, rank, visits) for rank in range(world)]
    alone = IdentitySampler(pids, people * world, each, seed, visits=visits)
    met = Counter(dict.fromkeys(set(pids.tolist()), 0))
    for epoch in range(first, first + epochs):
        shares = [_epoch(sampler, epoch) for sampler in ranks]
        assert {len(share) for share in shares} == {len(ranks[0])}
        steps = _steps(shares, people * each)
        # A step does not depend on how it is split.
        assert steps == _steps([_epoch(alone, epoch)], people * world * each)
        for share in shares:
            for start in range(0, len(share), each):
                rows = [draw.row for draw in share[start : start + each]]
                (pid,) = set(pids[rows].tolist())
                # All of an identity's tracklets are used before any is repeated.
                assert len(set(rows)) == min(each, int((pids == pid).sum()))
        for step in steps:
            counts = Counter(pids[[draw.row for draw in step]].tolist())
            # No identity lies on two ranks or twice on one.
            assert set(counts.values()) == {each}
            assert len(counts) == people * world
            met.update(counts.keys())
            assert len({draw.seed for draw in step}) == len(step)
        assert max(met.values()) - min(met.values()) <= 1


@pytest.mark.parametrize("make", [_tracklets, _identities])
def test_ranks_differ(make):
    first, second = (_epoch(make(2, rank), 1) for rank in range(2))
    assert not set(first) & set(second)


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
