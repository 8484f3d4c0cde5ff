"""Deliberate errors are one sentence; accidents keep their traceback."""

import errno

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from vidreid.commands.plain_errors import plain_errors
from vidreid.training.run_folder import RunFolder


def test_a_deliberate_error_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        plain_errors(lambda: RunFolder.existing("nowhere"))()
    assert stop.value.code == 1
    assert capsys.readouterr().err.startswith("error: nowhere is not a run folder")


def test_hydra_does_not_bury_the_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    config = {"_target_": "vidreid.training.run_folder.RunFolder.existing", "path": "nowhere"}
    with pytest.raises(SystemExit):
        plain_errors(lambda: instantiate(config))()
    assert capsys.readouterr().err.startswith("error: nowhere is not a run folder")


def test_an_accident_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        plain_errors(lambda: int("x"))()


def test_a_full_disk_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "a.jpg")

    with pytest.raises(SystemExit):
        plain_errors(full)()
    assert "The disk is full (a.jpg)" in capsys.readouterr().err


def test_a_setting_that_must_be_given_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    config = OmegaConf.create({"data": {"_target_": "vidreid.data.mars.MarsDataModule", "root": "???"}})
    with pytest.raises(SystemExit):
        plain_errors(lambda: instantiate(config.data))()
    said = capsys.readouterr().err.strip()
    assert said == "error: Nobody says what data.root is: add data.root=VALUE to the command."


def test_the_traceback_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDREID_TRACEBACK", "1")
    with pytest.raises(FileNotFoundError):
        plain_errors(lambda: RunFolder.existing("nowhere"))()
