"""What a run folder says of its starts, and what is said when one differs from the first."""

import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vidreid.training.code_state import CodeState
from vidreid.training.environment import environment
from vidreid.training.provenance import differences, record_start, without_home
from vidreid.training.run_folder import RunFolder

ENTRY = {
    "time": "t0",
    "after_epochs": 0,
    "packages": {"torch": "2.14.0"},
    "threads": {"torch": 4},
    "gpu": None,
}
CLEAN = CodeState("a" * 40, "trunk", b"", [])


def record(run: Path) -> dict[str, Any]:
    return json.loads((run / "environment.json").read_text())


def test_a_first_start_is_written_without_a_word(tmp_path: Path) -> None:
    assert record_start(RunFolder(tmp_path), ENTRY, CLEAN) is None
    code = {"commit": "a" * 40, "branch": "trunk", "uncommitted": None, "patch": None, "not_in_patch": []}
    assert record(tmp_path) == {"started": {**ENTRY, "code": code}, "continued": []}
    assert [path.name for path in tmp_path.iterdir()] == ["environment.json"]


def test_a_continuation_that_is_alike_is_written_without_a_word(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    record_start(run, ENTRY, CLEAN)
    later = {**ENTRY, "time": "t1", "after_epochs": 3}
    assert record_start(run, later, CLEAN._replace(branch="other")) is None
    assert [entry["after_epochs"] for entry in record(tmp_path)["continued"]] == [3]


def test_what_differs_is_one_sentence(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    record_start(run, ENTRY, CLEAN)
    other = {**ENTRY, "packages": {"torch": "2.15.0", "numpy": "2.4.6"}, "gpu": {"names": ["A", "B"]}}
    note = record_start(run, other, CodeState("b" * 40, "trunk", b"patch", []))
    # The last is what sha256sum prints for "patch".
    assert note == (
        "this run was started otherwise (packages.torch 2.14.0, now 2.15.0; code.commit aaaaaaaaaa, now "
        "bbbbbbbbbb; packages.numpy none, now 2.4.6; gpu.names none, now ['A', 'B']; code.uncommitted none, "
        "now a4895eb44a): its numbers can differ from those of a run without interruption."
    )
    assert record_start(run, ENTRY, CLEAN) is None, "compared with the first start, not with the last"
    assert [entry["packages"]["torch"] for entry in record(tmp_path)["continued"]] == ["2.15.0", "2.14.0"]


def test_a_long_list_is_cut() -> None:
    before, now = ({"packages": {str(n): version for n in range(9)}} for version in ("1", "2"))
    assert len(differences(before, now)) == 9


def test_every_patch_is_kept_once(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for patch in (b"one", b"two", b"one", b"", b"two", b"three"):
        record_start(run, ENTRY, CLEAN._replace(patch=patch))
    starts = [record(tmp_path)["started"], *record(tmp_path)["continued"]]
    assert [start["code"]["patch"] for start in starts] == [
        "uncommitted.patch", "uncommitted-2.patch", "uncommitted.patch", None, "uncommitted-2.patch",
        "uncommitted-6.patch",
    ]  # fmt: skip
    for start, patch in zip(starts, (b"one", b"two", b"one", b"", b"two", b"three"), strict=True):
        if patch:
            assert (tmp_path / start["code"]["patch"]).read_bytes() == patch


def test_without_git_nothing_is_said_of_the_code(tmp_path: Path) -> None:
    assert record_start(RunFolder(tmp_path), ENTRY, None) is None
    assert record(tmp_path)["started"]["code"] is None
    note = record_start(RunFolder(tmp_path), ENTRY, CLEAN)
    assert note is not None
    assert "(code.commit none, now aaaaaaaaaa)" in note


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"started": 1}', "\0"])
def test_a_damaged_record_is_one_sentence(tmp_path: Path, damage: str) -> None:
    (tmp_path / "environment.json").write_text(damage)
    with pytest.raises(ValueError, match=r"environment\.json .*delete it; only the record of how") as error:
        record_start(RunFolder(tmp_path), ENTRY, CLEAN)
    assert "\n" not in str(error.value)


def test_the_environment_is_that_of_this_process() -> None:
    told = json.loads(json.dumps(environment()))
    assert told["python"] == f"CPython {platform.python_version()}"
    assert told["packages"]["torch"] == torch.__version__
    assert told["packages"]["numpy"] == np.__version__
    assert told["threads"]["torch"] == torch.get_num_threads()
    assert told["processor"]["usable_cores"] == len(os.sched_getaffinity(0))
    assert (told["gpu"] is None) == (not torch.cuda.is_available())


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("data.root=/home/quentin/mars", "data.root=~/mars"),
        ("/home/quentin/src/train.py", "~/src/train.py"),
        ("/home/quentin", "~"),
        ("paths=[/home/quentin/a,/home/quentin/b]", "paths=[~/a,~/b]"),
        ("/home/quentins/a", "/home/quentins/a"),
        ("/backup/home/quentin/a", "/backup/home/quentin/a"),
        ("seed=3", "seed=3"),
    ],
)
def test_the_home_folder_is_not_named(word: str, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/quentin")
    assert without_home(word) == written
