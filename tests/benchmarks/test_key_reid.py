"""The benchmark of KeyRe-ID's shortcuts in its tiny size."""

import json
from pathlib import Path

import pytest

from support.benchmarks import load_benchmark


@pytest.mark.slow
def test_tiny_run(repo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark = load_benchmark(repo_root, "key_reid")
    benchmark.measure_memory = lambda method, size: {"fast": 1, "slow": 2}  # no new processes in a test
    assert benchmark.main(["--tiny"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result.keys() == set(benchmark.METHODS)
    for method in result.values():
        assert method["largest_relative_difference"] < 1e-5
        assert method["train_peak_memory"]["fast_over_slow"] == 0.5
        for kind in ("describe", "train"):
            seconds = [method[kind][f"{name}_seconds_a_clip"] for name in ("fast", "slow")]
            assert method[kind]["times_faster"] == pytest.approx(seconds[1] / seconds[0])
