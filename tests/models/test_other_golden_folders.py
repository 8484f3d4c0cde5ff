"""The golden tests read any folder of the same form: other sizes and seeds, and not every case."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from golden.golden_weights import normal
from models.test_golden_graph import CHANNELS, SKELETONS, released_graph
from vidreid.models.layers.neighbours import clip_neighbours


def write_case(path: Path, joints: int, frames: int, seed: int, error: float) -> None:
    """Write a file like ``c1_gcn_*`` from this library's own numbers, plus an error."""
    graph = released_graph(SKELETONS[joints], seed)
    count = frames * joints
    nodes = normal("c1.node", (count, 64), seed)
    features = [
        normal(f"c1.joint_feature.stage{i}", (count, c), seed).unsqueeze(0) for i, c in enumerate(CHANNELS)
    ]
    neighbours = clip_neighbours(SKELETONS[joints], frames)
    with torch.no_grad():
        states = graph.propagate(features, frames)
        np.savez(
            path,
            K=joints, T=frames, B=1, seed=seed, node=nodes,
            conv_out=graph.layers[0].convolution(nodes.unsqueeze(0), neighbours)[0] + error,
            layer_out=graph.layers[0](nodes.unsqueeze(0), neighbours)[0],
            **{f"x_g_stage{i}": state[0] for i, state in enumerate(states)},
        )  # fmt: skip


@pytest.mark.slow
def test_another_folder_is_read_and_lacking_cases_are_skipped(tmp_path: Path, repo_root: Path) -> None:
    write_case(tmp_path / "c1_gcn_k17_t3.npz", 17, 3, seed=41, error=0.0)
    write_case(tmp_path / "c1_gcn_k12_t5.npz", 12, 5, seed=42, error=1e-3)
    output = run_golden(repo_root, tmp_path)
    results = set(re.findall(r"^(PASSED|FAILED|ERROR) .*::(\w+)\[dense-(\w+)\]", output, re.MULTILINE))
    assert results == {
        ("PASSED", "test_graph_layers", "c1_gcn_k17_t3"),
        ("FAILED", "test_graph_layers", "c1_gcn_k12_t5"),
    }
    assert "differs by 1.00e-03" in output
    assert re.search(r"=+ 1 failed, 1 passed, \d+ skipped, ", output), "all other cases have no files there"


def run_golden(repo_root: Path, folder: Path) -> str:
    """Run the golden tests of all modules on a folder, as ``make test-golden`` does."""
    modules = ["data/test_clips.py", "losses/test_identity.py", "metrics/test_ranking.py", "models"]
    process = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-m", "golden", "-k", "not torch_scatter and not every_case",
            "-p", "no:cacheprovider", "-rpfE", *(f"tests/{module}" for module in modules),
        ],
        cwd=repo_root,
        env={**os.environ, "VIDREID_GOLDEN": str(folder), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return process.stdout
