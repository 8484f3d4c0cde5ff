"""Golden numbers of KeyRe-ID, VID-Trans-ReID and TransReID: their inputs, and how close numbers must come."""

import importlib.util
import json
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType

import numpy as np
from torch import Tensor

# Recipes of inputs and tolerances are this repository's, whatever folder the numbers are read from.
OWN = Path(__file__).resolve().parent.parent / "golden"


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, OWN / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _load_inputs() -> ModuleType:
    # It imports its neighbour by the bare name, as if the folder were on the path.
    before = sys.modules.get("golden_weights")
    sys.modules["golden_weights"] = _module("golden_weights")
    try:
        return _module("keyreid_inputs")
    finally:
        del sys.modules["golden_weights"]
        if before is not None:
            sys.modules["golden_weights"] = before


inputs = _load_inputs()
"""The functions of ``keyreid_inputs.py``."""

_TOLERANCES: dict[str, list[tuple[str, float, float]]] = {
    case: [(pattern, atol, rtol) for pattern, atol, rtol in rows]
    for case, rows in json.loads((OWN / "keyreid_tolerances.json").read_text()).items()
    if case != "note"
}


def tolerance(case: str, array: str) -> tuple[float, float]:
    """Return ``(atol, rtol)`` of an array of a case such as ``case07_losses``.

    Raises:
        KeyError: If the table has no such case, or no pattern for the array.
    """
    for pattern, atol, rtol in _TOLERANCES[case]:  # the first that fits decides
        if fnmatchcase(array, pattern):
            return atol, rtol
    raise KeyError(f"no tolerance for {array} of {case}")


def load(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a golden file."""
    with np.load(path) as archive:
        return dict(archive.items())


def check(case: str, name: str, actual: Tensor | np.ndarray | float, expected: np.ndarray) -> None:
    """Compare with an array of a case: integers exactly, others within ``atol + rtol * |expected|``."""
    found = np.asarray(actual.detach().cpu() if isinstance(actual, Tensor) else actual)
    assert found.shape == expected.shape, f"{name}: shape {found.shape} instead of {expected.shape}"
    if not np.issubdtype(expected.dtype, np.floating):
        np.testing.assert_array_equal(found, expected, err_msg=name)
        return
    atol, rtol = tolerance(case, name)
    missing = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), missing, err_msg=f"{name}: where it is NaN")
    wanted = expected[~missing].astype(np.float64)
    difference = np.abs(found[~missing].astype(np.float64) - wanted)
    over = difference - (atol + rtol * np.abs(wanted))
    if over.size and over.max() > 0:
        worst = difference.flat[over.argmax()]
        raise AssertionError(f"{name} differs by {worst:.2e} where {atol:g} + {rtol:g} * |value| is accepted")
