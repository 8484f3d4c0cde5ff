"""No Q x G matrix is ever held."""

import subprocess
import sys

SCRIPT = r"""
import pathlib, re, torch
from vidreid.metrics.ranking import rank

def peak():  # ru_maxrss would start at that of the parent process
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024

def problem(queries, items):
    make = torch.Generator().manual_seed(0)
    whole = lambda high, count: torch.randint(1, high, (count,), generator=make)
    return (torch.randn(queries, 16, generator=make), torch.randn(items, 16, generator=make),
            whole(500, queries), whole(500, items), whole(7, queries), whole(7, items))

rank(*problem(600, 600))  # loads what a first run loads
ids = problem(6000, 20000)
before = peak()
rank(*ids)
print(peak() - before)
"""


def test_memory_stays_below_the_matrix():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    matrix = 6000 * 20000 * 4 / 2**20  # 458 MB
    assert 1 < float(done.stdout) < 150 < matrix / 3
