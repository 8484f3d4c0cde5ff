"""The golden test of re-ranking reads any folder of the same form: other sizes and settings."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from metrics.slow_reranking import slow_k_reciprocal, squared_distances


def write_case(path, queries, gallery, settings, error=0.0):
    """A file like ``c9_rerank.npz`` from the slow twin's numbers, plus an error."""
    features = (
        np.random.default_rng(len(settings)).standard_normal((queries + gallery, 16)).astype(np.float32)
    )
    pairs = squared_distances(features)
    final = [slow_k_reciprocal(pairs, queries, *row, squared_again=True) + error for row in settings]
    np.savez(
        path, query=features[:queries], gallery=features[queries:],
        query_gallery=pairs[:queries, queries:].astype(np.float32),
        query_query=pairs[:queries, :queries].astype(np.float32),
        gallery_gallery=pairs[queries:, queries:].astype(np.float32),
        settings=np.array(settings, np.float32), **{f"final_{i}": x for i, x in enumerate(final)},
    )  # fmt: skip


@pytest.mark.slow
def test_another_folder_is_read(tmp_path, repo_root):
    write_case(tmp_path / "c9_rerank.npz", 15, 60, [(20, 6, 0.3), (6, 1, 0.5)])
    write_case(tmp_path / "c9_rerank_wrong.npz", 5, 20, [(6, 2, 0.3)], error=3e-5)
    module = "tests/metrics/test_k_reciprocal.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "golden", "-p", "no:cacheprovider", "-rpfE", module],
        cwd=repo_root,
        env={**os.environ, "VIDREID_GOLDEN": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    results = set(re.findall(r"^(PASSED|FAILED|ERROR) .*::(\w+)\[(\w+)\]", done.stdout, re.MULTILINE))
    name = "test_equals_the_released_numbers"
    assert results == {("PASSED", name, "c9_rerank"), ("FAILED", name, "c9_rerank_wrong")}
