"""No Q x G matrix is ever held."""

import subprocess
import sys

import pytest

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


@pytest.mark.slow
def test_memory_stays_below_the_matrix():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    matrix = 6000 * 20000 * 4 / 2**20  # 458 MB
    assert 1 < float(done.stdout) < 150 < matrix / 3


MAPPED = r"""
import pathlib, re, resource, sys, warnings
import numpy as np, torch
from vidreid.metrics.ranking import rank

file, megabytes, items, width = sys.argv[1], int(sys.argv[2]), 50_000, 1024
random = np.random.default_rng(0)
gallery = np.lib.format.open_memmap(file, "w+", "float32", (items, width))
for start in range(0, items, 500):
    gallery[start : start + 500] = random.standard_normal((500, width), dtype=np.float32)
del gallery
make = torch.Generator().manual_seed(0)
pids, query_pids = (torch.randint(1, 500, (n,), generator=make) for n in (items, 300))
query = torch.randn(300, width, generator=make)
rank(query, torch.randn(600, width), query_pids, pids[:600], query_pids * 0, pids[:600] * 0 + 1)  # warms up

# The limit counts memory of its own, which the pages of a file are not.
used = int(re.search(r"VmData:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) * 1024
limit = used + megabytes * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
warnings.filterwarnings("ignore", "The given NumPy array is not writable")
gallery = torch.from_numpy(np.load(file, mmap_mode="r"))
assert gallery.nbytes > 1.5 * megabytes * 2**20
print(rank(query, gallery, query_pids, pids, query_pids * 0, pids * 0 + 1).queries_counted)
try:
    gallery.clone()
except RuntimeError:
    print("a copy is too large")
"""


@pytest.mark.slow
def test_a_mapped_gallery_is_larger_than_the_memory(tmp_path):
    command = [sys.executable, "-c", MAPPED, str(tmp_path / "gallery.npy"), "120"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "300\na copy is too large\n", done.stderr
