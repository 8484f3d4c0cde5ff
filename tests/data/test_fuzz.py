"""Whatever files hold, a reader reads them or raises the library's own error with one sentence."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.fuzzed import FUZZED as BENCHMARKS
from support.fuzzed_files import FUZZED_FILES
from support.spoiling import spoiled_file, spoiled_tree
from vidreid.errors import DataError

FUZZED = {**BENCHMARKS, **FUZZED_FILES}
FEW = 60
MANY = int(os.environ.get("VIDREID_FUZZ", "10000"))
"""Spoiled trees of each kind in the slow suite; ``make test`` takes fewer."""


def read_or_refuse(name: str, root: Path) -> None:
    """Read; an error of the library must be a sentence for people."""
    try:
        FUZZED[name].read(root)
    except DataError as error:
        text = str(error)
        assert text.endswith((".", "?", ")")), text
        assert len(text) > 30, text
        assert len(text) < 1500, text
        assert "\n" not in text.strip() or "\\n" in text, text
        assert "object at 0x" not in text, text


def fuzz(name: str, root: Path, examples: int) -> None:
    files = sorted({path for glob in FUZZED[name].files for path in root.glob(glob) if path.is_file()})
    places = sorted({path for glob in FUZZED[name].places for path in root.glob(glob) if path != root})
    originals = {path: path.read_bytes() for path in files}
    assert files
    assert places
    FUZZED[name].read(root)
    before = sorted(root.rglob("*"))

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def spoil(data: st.DataObject) -> None:
        if data.draw(st.integers(0, 4)) == 0:
            with spoiled_tree(data.draw, places):
                read_or_refuse(name, root)
            return
        path = data.draw(st.sampled_from(files))
        path.write_bytes(data.draw(spoiled_file(path, originals[path])))
        try:
            read_or_refuse(name, root)
        finally:
            path.write_bytes(originals[path])

    spoil()
    assert sorted(root.rglob("*")) == before, "a reader writes nothing"
    FUZZED[name].read(root)


@pytest.mark.parametrize("name", FUZZED)
def test_spoiled_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    fuzz(name, FUZZED[name].make(tmp_path / "tree"), FEW)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", FUZZED)
def test_many_spoiled_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    fuzz(name, FUZZED[name].make(tmp_path / "tree"), MANY)
