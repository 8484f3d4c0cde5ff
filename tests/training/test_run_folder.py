"""Small files of a run: written whole, and refused by one sentence when something else has damaged them."""

from pathlib import Path
from typing import Any

import pytest

from vidreid.training.run_folder import RunFolder

CONFIG: dict[str, Any] = {"name": "x", "seed": 0, "model": {"stripes": 4}, "pixels": {"mean": [0.5, 0.25]}}
METRICS = {"mAP": 0.5, "cmc": [0.25, 0.75]}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.write_config(CONFIG)
    folder.write_metrics(METRICS)
    return folder


def test_what_is_written_is_read(run: RunFolder) -> None:
    assert run.read_config() == CONFIG
    assert run.read_metrics() == METRICS


def test_a_configuration_cut_anywhere_is_refused(run: RunFolder) -> None:
    """Half a YAML file is often YAML too; without its last lines a run would be another one."""
    whole = run.config_file.read_bytes()
    # The last newline alone may be missing: editors take it away.
    for length in range(len(whole) - 1):
        run.config_file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"config\.yaml is .*: put back a copy") as error:
            run.read_config()
        assert "\n" not in str(error.value)
    run.config_file.write_bytes(whole[:-1])
    assert run.read_config() == CONFIG


def test_a_configuration_of_an_earlier_version_is_read(run: RunFolder) -> None:
    run.config_file.write_text("name: x\nseed: 0\n")
    assert run.read_config() == {"name": "x", "seed": 0}


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe", b"a: [", b"- 1\n", b"\0\0\0", b"!!python/object:os.system {}\n"]
)
def test_another_configuration_is_refused(run: RunFolder, damage: bytes) -> None:
    run.config_file.write_bytes(damage)
    with pytest.raises(ValueError, match=r"config\.yaml is (no readable YAML|torn).*: put back a copy"):
        run.read_config()


def test_numbers_cut_anywhere_are_refused(run: RunFolder) -> None:
    whole = run.metrics_file.read_bytes()
    for length in range(len(whole) - 1):
        run.metrics_file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"metrics\.json .*delete it, and train\.py resume=.* anew\.$"):
            run.read_metrics()
    run.metrics_file.write_text("[]")
    with pytest.raises(ValueError, match=r"holds no numbers of an evaluation: delete it"):
        run.read_metrics()


def test_a_run_without_numbers_is_not_finished(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"the run is not finished, go on with train\.py resume="):
        RunFolder(tmp_path).read_metrics()
