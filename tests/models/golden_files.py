"""Finds the golden files of a case, so that a folder with further files of the same form runs unchanged."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor

from golden.golden_weights import fill

OWN = Path(__file__).resolve().parent.parent / "golden"
FOLDER = Path(os.environ.get("VIDREID_GOLDEN", OWN))

Test = TypeVar("Test", bound=Callable[..., object])


def golden_files(pattern: str) -> Callable[[Test], Test]:
    """Run a test, marked as golden, for every file of the pattern, as its argument ``path``."""
    files = pytest.mark.parametrize("path", sorted(FOLDER.glob(pattern)), ids=lambda path: path.stem)
    return lambda test: pytest.mark.golden(files(test))


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
