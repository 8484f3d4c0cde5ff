"""Pieces on two real processes: their gradients are averaged as those of whole batches are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from support.memory_modules import batch, gradients, step
from training.micro_batch_process import make


@pytest.mark.slow
def test_gradients_of_two_processes_are_the_mean_of_whole_batches(tmp_path: Path) -> None:
    script = Path(__file__).with_name("micro_batch_process.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    files = [tmp_path / f"{rank}.pt" for rank in range(2)]
    started = [
        subprocess.Popen([sys.executable, script, str(rank), tmp_path / "meeting", file], env=environment)
        for rank, file in enumerate(files)
    ]
    try:
        assert [process.wait(timeout=240) for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()
    alone = []
    for rank in range(2):
        module = make(micro_batch=None)
        step(module, batch(seed=rank))
        alone.append(gradients(module))
    for file in files:
        for way, found in torch.load(file, weights_only=True).items():
            assert found.keys() == alone[0].keys()
            for name, gradient in found.items():
                mean = (alone[0][name] + alone[1][name]) / 2
                torch.testing.assert_close(gradient, mean, rtol=1e-9, atol=1e-12, msg=f"{name}, {way}")
