"""Where tracks are cut, against an obvious twin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidreid.data.tracks.tracklets import split_at_gaps, split_evenly

TRACKS = st.lists(st.sets(st.integers(1, 60), min_size=1), min_size=1, max_size=4)


def slow_split(tracks, max_gap):
    number, numbers = -1, []
    for frames in tracks:
        last = None
        for frame in sorted(frames):
            if last is None or (max_gap is not None and frame - last - 1 > max_gap):
                number += 1
            numbers.append(number)
            last = frame
    return numbers


@given(TRACKS, st.one_of(st.none(), st.integers(0, 10)))
def test_gaps(tracks, max_gap):
    owners = np.repeat(np.arange(len(tracks)), [len(frames) for frames in tracks])
    frames = np.concatenate([sorted(frames) for frames in tracks])
    assert split_at_gaps(owners, frames, max_gap).tolist() == slow_split(tracks, max_gap)


def test_a_gap_of_exactly_so_many_frames_is_bridged():
    tracks, frames = np.zeros(4, np.int64), np.array([1, 2, 6, 11])
    assert split_at_gaps(tracks, frames, 3).tolist() == [0, 0, 0, 1]
    assert split_at_gaps(tracks, frames, 4).tolist() == [0, 0, 0, 0]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=5), st.integers(1, 20))
def test_pieces_are_few_and_equally_long(lengths, most):
    stretches = np.repeat(np.arange(len(lengths)), lengths)
    pieces = split_evenly(stretches, most)
    assert (np.diff(pieces) >= 0).all()
    for stretch, length in enumerate(lengths):
        numbers, counts = np.unique(pieces[stretches == stretch], return_counts=True)
        assert len(numbers) == -(-length // most)
        assert counts.max() <= most
        assert counts.max() - counts.min() <= 1
        assert not np.isin(pieces[stretches != stretch], numbers).any()


def test_without_a_limit_a_stretch_is_one_piece():
    # Stretches that lost all their crops have no piece.
    assert split_evenly(np.array([0, 0, 3, 3, 3, 5]), None).tolist() == [0, 0, 1, 1, 1, 2]
