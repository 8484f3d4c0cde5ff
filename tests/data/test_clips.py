import random
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from vidreid.data.clips import (
    check_sampling,
    clip_count,
    consecutive,
    dense,
    dense_clip,
    dense_count,
    evaluation_clip,
    evenly,
    released_evenly,
    segment_random,
    training_clip,
)

LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 61, 920]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("frames", [1, 4, 8])
def test_segment_random_takes_one_frame_of_each_segment(length, frames):
    generator = random.Random(0)
    for _ in range(20):
        rows = segment_random(length, frames, generator)
        assert rows.shape == (frames,)
        for i, row in enumerate(rows.tolist()):
            # Slow twin: the frames whose segment is i, or for short tracklets the frame below i.
            segment = [n for n in range(length) if i * length // frames <= n < (i + 1) * length // frames]
            assert row in (segment or [i * length // frames])


def test_segment_random_reaches_every_frame_equally_often():
    generator = random.Random(0)
    counts = Counter(int(row) for _ in range(4000) for row in segment_random(12, 4, generator))
    assert set(counts) == set(range(12))
    assert all(abs(count - 4000 / 3) < 130 for count in counts.values())


def test_segment_random_follows_its_generator():
    draws = [segment_random(100, 8, random.Random(seed)).tolist() for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize(
    ("length", "frames", "rows"),
    [
        (8, 4, [1, 3, 5, 7]),
        (9, 3, [1, 4, 7]),
        (10, 4, [1, 3, 6, 8]),  # middles at 1.25, 3.75, 6.25, 8.75
        (4, 4, [0, 1, 2, 3]),
        (2, 4, [0, 1, 1, 1]),
        (1, 3, [0, 0, 0]),
        (920, 1, [460]),
    ],
)
def test_evenly_by_hand(length, frames, rows):
    assert evenly(length, frames).tolist() == rows


@pytest.mark.parametrize("length", LENGTHS)
def test_evenly_is_symmetric_and_in_range(length):
    rows = evenly(length, 8)
    assert ((rows >= 0) & (rows < length)).all()
    if length >= 8:
        assert len(set(rows.tolist())) == 8
        assert abs(rows[0] - (length - 1 - rows[-1])) <= 1


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(("frames", "extra"), [(4, 2), (16, 2), (15, 0)])
def test_released_evenly_equals_the_released_steps(length, frames, extra):
    wanted = frames + extra
    if length >= wanted:
        cut = length - length % wanted
        rows = [int(i * cut / wanted) for i in range(wanted)]
    else:
        rows = list(range(length)) + [length - 1] * (wanted - length)
    assert released_evenly(length, frames, extra).tolist() == rows[:frames]


def test_consecutive():
    assert consecutive(10, 4).tolist() == [3, 4, 5, 6]
    assert consecutive(2, 4).tolist() == [0, 1, 1, 1]
    generator = random.Random(0)
    starts = set()
    for _ in range(300):
        rows = consecutive(10, 4, generator)
        assert np.diff(rows).tolist() == [1, 1, 1]
        starts.add(int(rows[0]))
    assert starts == set(range(7))


def _dense_slowly(length, frames, limit):
    clips, rest = [], list(range(length))
    while len(rest) > frames and len(clips) < limit:
        clips.append(rest[:frames])
        rest = rest[frames:]
    if rest and len(clips) < limit:
        own, last = list(rest), list(rest)
        while len(last) < frames:
            last.append(own[(len(last)) % len(own)])
        clips.append(last)
    return clips


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("frames", [1, 4, 8])
@pytest.mark.parametrize("limit", [None, 3])
def test_dense_equals_a_loop(length, frames, limit):
    clips = dense(length, frames, limit)
    assert clips.tolist() == _dense_slowly(length, frames, limit or 10_000)
    assert dense_count(length, frames, limit) == len(clips)
    if limit is None:
        assert set(clips.ravel().tolist()) == set(range(length))


def test_dense_equals_the_released_keyreid(golden_file):
    case = np.load(golden_file("case11_dense_clips.npz"))
    for length, clips, count in zip(case["lengths"], case["clips"], case["clip_counts"], strict=True):
        assert dense(int(length), 4, max_clips=41).tolist() == clips[: int(count)].tolist()


@pytest.mark.parametrize("frames", [1, 3, 16])
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 12, 13, 48, 63, 64, 65, 67, 130])
def test_every_fourth_frame_slowly(length, frames):
    """From a list of all frames: blocks of 4 T, of which four lists are dealt out like cards."""
    slow, left = [], list(range(length))
    while left:
        block, left = left[: 4 * frames], left[4 * frames :]
        hands = [[] for _ in range(4)]
        for place, frame in enumerate(block):
            hands[place % 4].append(frame)
        slow += [(hand * frames)[:frames] for hand in hands if hand]
    count = clip_count("dense_stride4", length, frames)
    assert [evaluation_clip("dense_stride4", length, frames, n).tolist() for n in range(count)] == slow
    assert {row for clip in slow for row in clip} == set(range(length))
    assert clip_count("dense_stride4", length, frames, max_clips=3) == min(count, 3)


def test_names_lead_to_the_functions():
    for name, rows in {"evenly": [1, 3], "consecutive": [1, 2], "released_evenly": [0, 1]}.items():
        assert evaluation_clip(name, 4, 2, 0).tolist() == rows
    assert evaluation_clip("dense", 5, 2, 2).tolist() == dense_clip(5, 2, 2).tolist() == [4, 4]
    assert training_clip("evenly", 4, 2, random.Random(0)).tolist() == [1, 3]
    always_late = SimpleNamespace(random=lambda: 0.999)
    assert training_clip("dense", 6, 2, always_late).tolist() == [4, 5]
    assert training_clip("dense_stride4", 6, 2, always_late).tolist() == [3, 3]
    assert training_clip("segment_random", 6, 2, always_late).tolist() == [2, 5]
    assert training_clip("consecutive", 6, 2, always_late).tolist() == [4, 5]


def test_unknown_names_are_answered_with_the_choices():
    with pytest.raises(
        ValueError, match=r"'every'.*training.*segment_random, evenly, released_evenly, consecutive"
    ):
        check_sampling("every")
    with pytest.raises(ValueError, match="'segment_random' for evaluation: choose one of evenly"):
        check_sampling("segment_random", evaluation=True)
