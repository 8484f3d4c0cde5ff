"""The metric on 1 to 4 real gloo processes."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metrics.reid_problem import (
    CASES,
    CLIPS,
    COMBINATIONS,
    SETTINGS,
    WORLDS,
    clips,
    evaluate,
    make_metric,
    share,
)


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """Results of all processes; they start once for all cases, and share the cores."""
    folder = tmp_path_factory.mktemp("gloo")
    script = Path(__file__).with_name("reid_problem.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run(
        [sys.executable, script, folder / "meeting", folder], env=environment, check=True, timeout=300
    )
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(WORLDS[-1])]


@pytest.fixture(scope="module")
def alone():
    results = {}
    for visible, answers in SETTINGS:
        metric = make_metric(visible, answers=answers)
        scores = evaluate(metric, [list(range(CLIPS))])
        assert 0.1 < scores["mAP"] < 0.9
        assert scores["queries_counted"] > 5
        results[visible, answers] = scores, metric.result().average_precisions.nan_to_num(-1).tolist()
    assert len({scores["mAP"] for scores, _ in results.values()}) == 4
    return results


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("case", "visible", "answers"), COMBINATIONS)
def test_every_process_gets_the_result_of_one(processes, alone, case, world, visible, answers):
    for rank in range(world):
        scores, aps, _ = processes[rank][f"{case} {world} {visible} {answers}"]
        assert scores == pytest.approx(alone[visible, answers][0], abs=1e-7)
        assert scores["queries_counted"] == alone[visible, answers][0]["queries_counted"]
        assert aps == pytest.approx(alone[visible, answers][1], abs=1e-7)


@pytest.mark.parametrize("visible", [False, True])
def test_descriptors_are_those_of_all_processes(processes, visible):
    sums = {
        processes[rank][f"{case} {world} {visible} {answers}"][2]
        for (case, shows, answers), world in itertools.product(COMBINATIONS, WORLDS)
        if shows == visible
        for rank in range(world)
    }
    assert len(sums) == 1


@pytest.mark.parametrize("world", WORLDS[1:])
@pytest.mark.parametrize("case", CASES)
def test_the_cases_are_what_they_say(case, world):
    tracklets = clips()[2].tolist()
    shares = [share(rank, world, case) for rank in range(world)]
    seen = [[clip for batch in batches for clip in batch] for batches in shares]
    assert {clip for rows in seen for clip in rows} == set(range(CLIPS))
    # Tracklets of which no process sees all clips: their mean needs several processes.
    wholes = [set(range(CLIPS)) - set(rows) for rows in seen]
    cut = [t for t in set(tracklets) if all(any(tracklets[c] == t for c in lacks) for lacks in wholes)]
    assert len(cut) > 10 or (world == 2 and case in ("few", "none"))
    twice = sum(map(len, seen)) - CLIPS
    sizes = {len(batch) for batches in shares for batch in batches[:-1]}
    if case == "padded":
        assert {len(rows) for rows in seen} == {-(-CLIPS // world)}
        assert 0 < twice < world
    elif case in ("few", "none"):
        assert len(seen[-1]) == twice == (case == "few")
    elif case == "uneven":
        assert twice == 0
        assert len({len(batches) for batches in shares}) == world
        assert len(sizes) > 3
    else:
        assert twice > CLIPS / 3
        assert all(len(rows) > len(set(rows)) for rows in seen)
