"""Tracklets cut into pieces, against a loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidreid.data.pieces import cut_tracklets
from vidreid.data.tracklets import tracklet_table


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 20)), min_size=1, max_size=8),
    st.integers(1, 9),
)
def test_pieces_are_those_of_a_loop(tracklets, frames):
    lengths = np.array([length for *_, length in tracklets])
    stops = np.cumsum(lengths) + 7
    pids, cameras, _ = (np.array(column) for column in zip(*tracklets, strict=True))
    table = tracklet_table(pids, cameras, stops - lengths, stops)
    expected = []
    for (pid, camera, length), stop in zip(tracklets, stops.tolist(), strict=True):
        rows = list(range(stop - length, stop))
        while rows:
            piece, rows = rows[:frames], rows[frames:]
            expected.append((len(expected), pid, camera, piece[0], piece[-1] + 1))
    cut = cut_tracklets(table, frames)
    assert [tuple(row) for row in cut.to_numpy().tolist()] == expected
    assert cut.columns.tolist() == table.columns.tolist()
