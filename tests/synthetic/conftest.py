from pathlib import Path

import pytest

from vidreid.synthetic.benchmark import synthesize


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny benchmark of seed 0."""
    return synthesize(
        tmp_path_factory.mktemp("synthetic") / "tiny", "tiny", seed=0, workers=1, progress=False
    )
