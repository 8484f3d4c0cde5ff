"""The scripts in ``benchmarks``, which are no package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load_benchmark(repo_root: Path, name: str) -> ModuleType:
    """Load ``benchmarks/NAME.py`` as it loads itself: with its folder on the path."""
    folder = repo_root / "benchmarks"
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look it up there
    sys.path.insert(0, str(folder))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module
