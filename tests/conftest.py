"""Places that many tests read from."""

import os
from pathlib import Path

import pytest

REPO_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repo_root() -> Path:
    return REPO_ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Small real files for tests (MARS metadata and others) that are not part of the project."""
    folder = Path(os.environ.get("VIDREID_TEST_DATA", REPO_ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}: set VIDREID_TEST_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def golden() -> Path:
    """Numbers of the methods' released code."""
    return Path(os.environ.get("VIDREID_GOLDEN", REPO_ROOT / "tests" / "golden"))


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The procedural benchmark in its smallest size, rendered once for all tests."""
    from vidreid.synthetic.benchmark import synthesize

    root = tmp_path_factory.mktemp("synthetic") / "tiny"
    synthesize(root, size="tiny", seed=0, workers=1, progress=False)
    return root
