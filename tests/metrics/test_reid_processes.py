"""The metric on 1, 2 and 3 real gloo processes."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metrics.reid_problem import ANSWERS, CLIPS, evaluate, make_metric


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gloo")
    script = Path(__file__).with_name("reid_problem.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    files = [folder / f"{rank}.json" for rank in range(3)]
    started = [
        subprocess.Popen([sys.executable, script, str(rank), folder / "meeting", file], env=environment)
        for rank, file in enumerate(files)
    ]
    try:
        assert [process.wait(timeout=120) for process in started] == [0, 0, 0]
    finally:
        for process in started:
            process.kill()
    return [json.loads(file.read_text()) for file in files]


@pytest.fixture(scope="module")
def alone():
    results = {}
    for visible, answers in itertools.product((False, True), ANSWERS):
        metric = make_metric(visible, answers=answers)
        scores = evaluate(metric, list(range(CLIPS)), batch=CLIPS)
        assert 0.1 < scores["mAP"] < 0.9
        assert scores["queries_counted"] > 5
        results[visible, answers] = scores, metric.result().average_precisions.nan_to_num(-1).tolist()
    assert len({scores["mAP"] for scores, _ in results.values()}) == 4
    return results


@pytest.mark.parametrize("answers", ANSWERS)
@pytest.mark.parametrize("visible", [False, True])
@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("case", ["padded", "few", "none"])
def test_every_process_gets_the_result_of_one(processes, alone, case, world, visible, answers):
    for rank in range(world):
        scores, aps, _ = processes[rank][f"{case} {world} {visible} {answers}"]
        assert scores == pytest.approx(alone[visible, answers][0], abs=1e-7)
        assert aps == pytest.approx(alone[visible, answers][1], abs=1e-7)


@pytest.mark.parametrize("visible", [False, True])
def test_descriptors_are_those_of_all_processes(processes, visible):
    sums = {
        processes[rank][f"padded {world} {visible} any"][2] for world in (1, 2, 3) for rank in range(world)
    }
    assert len(sums) == 1
