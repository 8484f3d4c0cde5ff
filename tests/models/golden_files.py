"""Finds the golden files of a case, so that a folder with further files of the same form runs unchanged."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from golden.golden_weights import fill

OWN = Path(__file__).resolve().parent.parent / "golden"
FOLDER = Path(os.environ.get("VIDREID_GOLDEN", OWN))


def golden_files(pattern: str) -> pytest.MarkDecorator:
    """Run a test for every file of the pattern, as its argument ``path``."""
    return pytest.mark.parametrize("path", sorted(FOLDER.glob(pattern)), ids=lambda path: path.stem)


def load(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file."""
    with np.load(path) as archive:
        return dict(archive.items())


def released_state(path: Path, seed: int) -> dict[str, Tensor]:
    """Return the weights that a key table and a seed stand for, under their released names."""
    table = json.loads(path.read_text())
    return fill(table["shapes"], seed, table["scale"])


def kmpnet_table() -> Path:
    """Return the key table with all weights of the graph."""
    here = FOLDER / "c5_kmpnet_k12.json"
    return here if here.is_file() else OWN / here.name


def number(array: np.ndarray) -> int:
    """Return a stored scalar."""
    return int(array.item())


def close(actual: Tensor, expected: np.ndarray, tolerance: float) -> None:
    """Compare by the largest absolute difference."""
    wanted = torch.from_numpy(np.asarray(expected)).to(torch.float64)
    actual = actual.detach().to(torch.float64)
    assert actual.shape == wanted.shape
    difference = (actual - wanted).abs().max().item()
    assert difference <= tolerance, f"differs by {difference:.2e}, more than {tolerance:.0e}"
