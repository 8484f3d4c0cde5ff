import numpy as np
import pytest

from vidreid.visualize.palette import LINE, PAPER, QUERY, RIGHT, WRONG
from vidreid.visualize.strips import RankedRow, Strip, ranked_strips, tracklet_strips

GREY = np.full((20, 10, 3), 77, np.uint8)


def strip(value=77, frames=2, captions=("id 1", "distance 0.5")):
    return Strip([np.full((20, 10, 3), value, np.uint8)] * frames, captions)


def share(picture, colour):
    return (picture == colour).all(axis=2).mean()


def test_marks_and_frames_are_where_they_belong():
    row = RankedRow(strip(10), [strip(20), strip(30)], [True, False])
    picture = ranked_strips([row], frame_height=64, frame_width=32)
    columns = {name: np.flatnonzero((picture == colour).all(axis=2).any(axis=0)) for name, colour in
               (("query", QUERY), ("right", RIGHT), ("wrong", WRONG))}  # fmt: skip
    assert columns["query"].max() < columns["right"].min() <= columns["right"].max() < columns["wrong"].min()
    for value, name in ((10, "query"), (20, "right"), (30, "wrong")):
        inside = np.argwhere((picture == value).all(axis=2))
        assert len(inside) == 2 * 64 * 32  # two whole frames
        assert columns[name].min() < inside[:, 1].min() <= inside[:, 1].max() < columns[name].max()


def test_swapped_marks_swap_the_colours():
    found = [strip(), strip()]
    first = ranked_strips([RankedRow(strip(), found, [True, True])])
    second = ranked_strips([RankedRow(strip(), found, [False, False])])
    assert share(first, RIGHT) > 0.01
    assert share(first, WRONG) == 0
    assert share(second, WRONG) > 0.01
    assert share(second, RIGHT) == 0


def test_rows_of_different_lengths():
    rows = [
        RankedRow(strip(frames=1), [strip(frames=3)], [True]),
        RankedRow(strip(), [strip()] * 3, [True] * 3),
    ]
    one, both = ranked_strips(rows[1:]), ranked_strips(rows)
    assert both.shape[0] > 1.8 * one.shape[0]
    assert both.shape[1] >= one.shape[1]
    assert both.dtype == np.uint8
    assert ranked_strips([RankedRow(strip(), [], [])]).shape[1] < one.shape[1]


def test_captions_make_a_difference_and_stay_inside():
    plain = ranked_strips([RankedRow(strip(captions=("",)), [strip(captions=("",))], [True])])
    written = ranked_strips([RankedRow(strip(captions=("x" * 300,)), [strip(captions=("y" * 300,))], [True])])
    assert plain.shape == written.shape
    assert not np.array_equal(plain, written)
    assert (written[:, -10:] == PAPER).all()


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([], "no query"),
        ([RankedRow(strip(), [strip()], [])], "1 found strips, but 0 marks"),
        ([RankedRow(strip(frames=0), [], [])], "at least one frame"),
    ],
)
def test_what_cannot_be_drawn_is_named(rows, match):
    with pytest.raises(ValueError, match=match):
        ranked_strips(rows)


def test_grid_of_tracklets():
    picture = tracklet_strips([strip(v) for v in (10, 20, 30)], columns=2, frame_height=40, frame_width=20)
    tops = [np.argwhere((picture == v).all(axis=2)).min(axis=0) for v in (10, 20, 30)]
    assert tops[0][0] == tops[1][0] < tops[2][0]
    assert tops[0][1] == tops[2][1] < tops[1][1]
    with pytest.raises(ValueError, match="no tracklet"):
        tracklet_strips([])


def left_of(picture, colour):
    return int(np.flatnonzero((picture == colour).all(axis=2).any(axis=0)).min())


def test_notes_stand_left_of_the_query_and_move_it():
    plain = ranked_strips([RankedRow(strip(), [strip()], [True])])
    noted = ranked_strips([RankedRow(strip(), [strip()], [True], notes=("Method", "AP 50.0 %"))])
    moved = noted.shape[1] - plain.shape[1]
    assert moved > 40
    assert left_of(noted, QUERY) - left_of(plain, QUERY) == moved
    column = noted[:, 16 : 16 + moved - 24]
    assert (column < 120).any()  # the text
    assert (noted[:, 16 + moved - 24 : 16 + moved] == PAPER).all()  # which is not cut off by the query
    assert np.array_equal(plain[:, 16:], noted[:, 16 + moved :])


def test_no_line_parts_the_rows_of_one_query():
    row = RankedRow(strip(), [strip()], [True])
    apart = ranked_strips([row, row])
    together = ranked_strips([row, RankedRow(strip(), [strip()], [True], same_query=True)])
    assert apart.shape == together.shape
    assert share(apart, LINE) > 0
    assert share(together, LINE) == 0
