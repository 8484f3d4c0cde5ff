"""The benchmark of the settings for memory in its tiny size."""

import json
from pathlib import Path

import pytest

from support.benchmarks import load_benchmark


@pytest.mark.slow
def test_tiny_run(repo_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark = load_benchmark(repo_root, "memory")
    benchmark.alone = lambda function, *arguments: function(*arguments)  # no new processes in a test
    assert benchmark.main(["--tiny"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result.keys() == {*benchmark.TRUNKS, "evaluation_of_a_tracklet"}
    for trunk in benchmark.TRUNKS:
        rows = result[trunk]
        whole = rows["whole_batch"]
        assert rows.keys() == benchmark.VARIANTS.keys()
        for row in rows.values():
            assert row["peak_ratio"] == pytest.approx(row["peak_mib"] / whole["peak_mib"])
            assert row["time_ratio"] == pytest.approx(row["seconds_a_step"] / whole["seconds_a_step"])
        assert rows["checkpoint"]["loss"] == whole["loss"]
        assert rows["micro_batch_of_a_quarter"]["loss"] != whole["loss"], "its norms see a quarter"
        assert rows["bf16-mixed"]["loss"] == pytest.approx(whole["loss"], rel=0.02)
    long, short = (
        result["evaluation_of_a_tracklet"]["20_frames"],
        result["evaluation_of_a_tracklet"]["10_frames"],
    )
    assert result["evaluation_of_a_tracklet"]["peak_ratio"] == pytest.approx(
        long["peak_mib"] / short["peak_mib"]
    )
