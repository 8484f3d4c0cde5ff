from dataclasses import replace

import numpy as np
import pytest
import torch

from vidreid.data.readers.mars_reader import read_mars
from vidreid.metrics import TrackletDescriptors
from vidreid.visualize.ranked import frames_reader, middles, ranked_rows, spread_queries


def descriptors(positions, pids, cameras, roles):
    numbers = [torch.tensor(x) for x in (pids, cameras, roles)]
    features = torch.tensor(positions, dtype=torch.float32)[:, None]
    return TrackletDescriptors(features, torch.arange(len(pids)) + 100, *numbers)


def frames_of(tracklet):
    return [np.full((4, 2, 3), tracklet, np.uint8)]


# 100: query of identity 5 in camera 1 (it stands in the gallery too), 101: same identity, same camera,
# 102: junk, 103: distractor, 104: the answer, 105: query without an answer, 106: neither.
PROBLEM = ([0, 1, 2, 3, 5, 9, 0], [5, 5, -1, 0, 5, 6, 5], [1, 1, 2, 2, 2, 1, 3], [3, 2, 2, 2, 2, 3, 0])


def test_ignored_items_are_left_out():
    (row,) = ranked_rows(descriptors(*PROBLEM), frames_of, queries=3, k=4)
    assert row.query.frames[0][0, 0, 0] == 100
    assert row.query.captions == ("id 5 · camera 1",)
    assert [strip.frames[0][0, 0, 0] for strip in row.found] == [103, 104, 105]
    assert row.right == [False, True, False]
    assert row.found[0].captions == ("distractor · camera 2", "distance 3.000")
    assert row.found[1].captions == ("id 5 · camera 2", "distance 5.000")


def test_people_and_cameras_may_have_names():
    names = {"person_names": {5: "anna"}, "camera_names": {2: "hall"}}
    (row,) = ranked_rows(descriptors(*PROBLEM), frames_of, queries=[100], k=3, **names)
    assert row.query.captions == ("id anna · camera 1",)
    captions = [strip.captions[0] for strip in row.found]
    assert captions == ["distractor · camera hall", "id anna · camera hall", "id 6 · camera 1"]


def test_junk_can_be_shown():
    (row,) = ranked_rows(descriptors(*PROBLEM), frames_of, queries=[100], k=1, junk_pid=None)
    assert row.found[0].frames[0][0, 0, 0] == 102


def test_queries_by_number():
    rows = ranked_rows(descriptors(*PROBLEM), frames_of, queries=[105, 100], k=1)
    assert [row.query.frames[0][0, 0, 0] for row in rows] == [105, 100]
    with pytest.raises(ValueError, match="Tracklet 104 is no query"):
        ranked_rows(descriptors(*PROBLEM), frames_of, queries=[104])


def test_nothing_answered_gives_no_row():
    assert ranked_rows(descriptors([0, 1], [5, 6], [1, 2], [3, 2]), frames_of) == []


def test_queries_are_spread_evenly():
    pids = [1] * 20
    everything = descriptors(range(20), pids, [1, 2] * 10, [3] * 20)
    rows = ranked_rows(everything, frames_of, queries=4, k=1)
    assert [int(row.query.frames[0][0, 0, 0]) - 100 for row in rows] == [2, 7, 12, 17]


def test_spread_queries_have_answers():
    assert spread_queries(descriptors(*PROBLEM), 3) == [100]
    everything = descriptors(range(20), [1] * 20, [1, 2] * 10, [3] * 20)
    assert spread_queries(everything, 4) == [102, 107, 112, 117]
    assert spread_queries(descriptors([0, 1], [5, 6], [1, 2], [3, 2]), 3) == []


@pytest.mark.parametrize(("answers", "shown"), [("same_outfit", [102, 104]), ("other_outfit", [101, 102])])
def test_outfits_decide_as_in_the_evaluation(answers, shown):
    # 100 asks; 101 wears another outfit, 102 is a stranger in that one, 103 is asked for by nobody else.
    plain = descriptors([0, 1, 2, 9, 3], [5, 5, 6, 7, 5], [1, 2, 2, 1, 2], [3, 2, 2, 1, 2])
    dressed = replace(plain, outfits=torch.tensor([4, 8, 8, 0, 4]))
    assert spread_queries(dressed, 3, answers) == [100]
    (row,) = ranked_rows(dressed, frames_of, queries=3, k=2, answers=answers)
    assert [strip.frames[0][0, 0, 0] for strip in row.found] == shown
    assert row.right == [tracklet != 102 for tracklet in shown]
    one_outfit = replace(plain, outfits=torch.zeros(5, dtype=torch.int64))
    assert spread_queries(one_outfit, 3, "other_outfit") == []


@pytest.mark.parametrize(
    ("length", "count", "expected"), [(9, 3, [1, 4, 7]), (2, 4, [0, 0, 1, 1]), (1, 2, [0, 0]), (10, 1, [5])]
)
def test_middles(length, count, expected):
    assert middles(length, count).tolist() == expected


def test_frames_of_a_benchmark(tiny_root):
    benchmark = read_mars(tiny_root)
    read = frames_reader(benchmark.test, benchmark.test_frames, count=2)
    frames = read(int(benchmark.test.tracklet.iloc[-1]))
    assert len(frames) == 2
    assert frames[0].shape == (128, 64, 3)
    assert not np.array_equal(frames[0], frames[1])
