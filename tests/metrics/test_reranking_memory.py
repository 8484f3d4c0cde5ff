"""Neither the matrix of all pairs of items nor that of queries and gallery is ever held."""

import os
import subprocess
import sys

import pytest

SCRIPT = r"""
import pathlib, re, torch
from vidreid.metrics.ranking import rank_rows
from vidreid.metrics.reranking import KReciprocal

def peak():  # ru_maxrss would start at that of the parent process
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024

def rerank(queries, items):
    make = torch.Generator().manual_seed(0)
    people = torch.randn(500, 16, generator=make)
    pids = torch.randint(0, 500, (queries + items,), generator=make)
    features = people[pids] + 0.3 * torch.randn(len(pids), 16, generator=make)
    cameras = torch.randint(1, 7, (len(pids),), generator=make)
    found = KReciprocal()(features[:queries], features[queries:])
    return rank_rows(found, found.tile, pids[:queries], pids[queries:], cameras[:queries], cameras[queries:])

rerank(300, 600)  # loads what a first run loads
before = peak()
result = rerank(3000, 7000)
print(result.mean_ap, peak() - before)
"""


@pytest.mark.slow
def test_memory_stays_below_the_matrices(repo_root):
    environment = {**os.environ, "PYTHONPATH": str(repo_root / "src")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    mean_ap, peak = map(float, done.stdout.split())
    assert mean_ap > 0.5
    everything = 10000 * 10000 * 4 / 2**20  # 381 MB
    assert 1 < peak < 130 < everything / 2
