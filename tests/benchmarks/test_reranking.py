"""The benchmark of re-ranking in a small size: both ways give the same distances."""

from pathlib import Path

import numpy as np
import pytest

from metrics.slow_reranking import slow_k_reciprocal, squared_distances
from support.benchmarks import load_benchmark


@pytest.mark.slow
def test_small_run(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(repo_root / "src"))
    result = load_benchmark(repo_root, "reranking").run(60, 250, 90, rounds=1)
    assert result["size"].startswith("60 x 340 x 256 float32")
    assert result["share_of_distances_apart"] < 1e-3
    turns = {name: figures[0]["seconds"] for name, figures in result["turns"].items()}
    assert result["time_ratio"] == pytest.approx(turns["full_matrices"] / turns["sparse_rows"])


def test_the_classic_way_is_the_method(repo_root: Path) -> None:
    benchmark = load_benchmark(repo_root, "reranking")
    features = np.random.default_rng(0).integers(0, 3, (60, 8)).astype(np.float32)
    expected = slow_k_reciprocal(squared_distances(features), 15)
    np.testing.assert_allclose(benchmark.full_matrices(features[:15], features[15:]), expected, atol=1e-5)
