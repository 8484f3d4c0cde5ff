"""Findings of tables, counted by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from support import mars_tree
from support.mars_tree import make_mars_tree
from support.spoiled import finding, found, inspected
from vidreid.data.benchmark import Benchmark
from vidreid.data.inspection.tables import (
    asked,
    cameras_per_identity,
    counts_of,
    distractors,
    table_findings,
    unanswered,
)
from vidreid.data.tracklets import FrameList, tracklet_table


def _benchmark(train, test, queries):
    """From (identity, camera, frames) and the rows that ask."""

    def table(rows, is_query=None):
        pids, cameras, lengths = np.array(rows).T
        stops = np.cumsum(lengths)
        return tracklet_table(pids, cameras, stops - lengths, stops, is_query)

    frames = FrameList(Path("none"), np.zeros(0, np.bytes_))
    return Benchmark(
        "mine", Path(), table(train), table(test, np.isin(np.arange(len(test)), queries)), frames, frames
    )


TRAIN = [(1, 1, 5), (1, 2, 3), (2, 1, 4), (2, 1, 8), (3, 2, 2)]
TEST = [(-1, 1, 3), (0, 1, 4), (5, 1, 5), (5, 1, 2), (5, 2, 7), (6, 3, 3), (7, 1, 3), (7, 1, 9), (8, 2, 6)]
BENCHMARK = _benchmark(TRAIN, TEST, [2, 5, 6])


def test_counts():
    assert counts_of(BENCHMARK.train, 4) == {
        "tracklets": 5,
        "identities": 3,
        "frames": 22,
        "cameras": 2,
        "length": {"min": 2, "mean": 4.4, "median": 4.0, "max": 8},
        "shorter_than_clip": 2,
        "clip_length": 4,
    }
    assert cameras_per_identity(BENCHMARK.train) == {1: 2, 2: 1}
    # Of 5, 6 and 7, whom queries ask for: cameras 1 and 2, 3 alone, 1 alone.
    assert cameras_per_identity(asked(BENCHMARK, "official")) == {1: 2, 2: 1}
    # Nobody asks for 0 and 8.
    assert distractors(BENCHMARK, "official") == 2


def test_queries_without_an_answer():
    # 5 has an answer in camera 2; 6 is alone; 7 was seen by its own camera only.
    assert unanswered(BENCHMARK, "official").tolist() == [5, 6]
    found = {finding.code: finding for finding in table_findings(BENCHMARK, "official", 4)}
    assert found["unanswered_queries"].severity == "warning"
    assert found["unanswered_queries"].sentence == (
        "2 of 3 queries have no answer under official, 1 of them the only tracklet of their identity "
        "(identity 6 camera 3, identity 7 camera 1): they are left out of the means unless "
        "metric.unanswered=zero."
    )
    assert list(found["single_tracklet"].where) == ["identity 3"]
    assert list(found["single_camera"].where) == ["identity 2", "identity 3"]
    assert found["short_tracklets"].what.startswith("2 training tracklets are shorter")


def test_answers_that_a_protocol_takes_away(tmp_path):
    root = make_mars_tree(tmp_path / "tree")
    assert set(found(inspected(root))) == {"reader"}
    # Without the queries (3,1) (3,2) (6,1) (6,3) there remain (3,1) and (6,3).
    inspection = inspected(root, protocol="queries_removed")
    assert found(inspection) == {"reader": "warning", "unanswered_queries": "warning"}
    where = finding(inspection, "unanswered_queries").where
    assert list(where) == ["identity 3 camera 1", "identity 6 camera 3"]


def test_answers_in_an_outfit():
    # Row 0 asks: camera 2 saw the person in the same outfit, camera 3 in another, camera 1 in both.
    rows = [(5, 1, 2), (5, 2, 2), (5, 3, 2), (5, 1, 2), (6, 1, 2), (6, 2, 2)]
    benchmark = _benchmark(TRAIN, rows, [0, 4])
    answers = ("any", "same_outfit", "other_outfit")
    for outfits, expected in (([1, 1, 2, 2, 1, 1], ([], [], [4])), ([1, 2, 2, 1, 1, 2], ([], [0, 4], []))):
        benchmark.test["outfit"] = outfits
        for rule, left in zip(answers, expected, strict=True):
            benchmark.protocols["mine"] = replace(benchmark.protocols["official"], answers=rule)
            assert unanswered(benchmark, "mine").tolist() == left


def test_no_query_has_an_answer():
    benchmark = _benchmark(TRAIN, [(5, 1, 3), (5, 1, 4), (6, 2, 3)], [0, 2])
    errors = [f.code for f in table_findings(benchmark, "official", 4) if f.severity == "error"]
    assert errors == ["unanswered_queries"]


@pytest.mark.parametrize(
    ("benchmark", "code"),
    [
        (_benchmark([(1, 1, 5), (1, 2, 5)], TEST, [2]), "few_identities"),
        (_benchmark(TRAIN, TEST, []), "nothing_to_evaluate"),
        (_benchmark([*TRAIN, (5, 3, 4)], TEST, [2]), "shared_identities"),
    ],
)
def test_tables_that_cannot_be_used(benchmark, code):
    errors = [f.code for f in table_findings(benchmark, "official", 2) if f.severity == "error"]
    assert errors == [code]


def test_an_identity_in_both_splits(tmp_path):
    people = [(1 if pid == 3 else pid, camera, frames) for pid, camera, frames in mars_tree.TEST]
    inspection = inspected(make_mars_tree(tmp_path / "tree", test=people))
    assert found(inspection)["shared_identities"] == "error"
    assert list(finding(inspection, "shared_identities").where) == ["identity 1"]


def test_settings_that_training_would_refuse(tiny_root):
    assert found(inspected(tiny_root, held_out_identities=5)) == {"held_out": "error"}
    assert found(inspected(tiny_root, batch_size=64)) == {"batches": "error"}
    assert found(inspected(tiny_root, sampler="identity", identities_per_batch=9)) == {"batches": "error"}


def test_a_protocol_that_is_wrong_is_said(tiny_root):
    inspection = inspected(tiny_root, protocol="legacy_unfiltered")
    assert found(inspection)["wrong_protocol"] == "warning"
