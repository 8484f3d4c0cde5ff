"""The metric on 1, 2 and 3 real gloo processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metrics.reid_problem import CLIPS, evaluate
from vidreid.metrics.reid import ReidMetric


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
    metric = ReidMetric(CLIPS)
    scores = evaluate(metric, list(range(CLIPS)), batch=CLIPS)
    assert 0.2 < scores["mAP"] < 0.9
    assert scores["queries_counted"] > 5
    return scores, metric.result().average_precisions.nan_to_num(-1).tolist()


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("case", ["padded", "few", "none"])
def test_every_process_gets_the_result_of_one(processes, alone, case, world):
    for rank in range(world):
        scores, aps, _ = processes[rank][f"{case} {world}"]
        assert scores == pytest.approx(alone[0], abs=1e-7)
        assert aps == pytest.approx(alone[1], abs=1e-7)


def test_descriptors_are_those_of_all_processes(processes):
    sums = {processes[rank][f"padded {world}"][2] for world in (1, 2, 3) for rank in range(world)}
    assert len(sums) == 1
