"""What is the result: the last epoch, or the best on identities held out for it."""

from pathlib import Path

import pytest

from vidreid.training.run_folder import RunFolder
from vidreid.training.selection import checkpoint_callbacks


def test_the_last_epoch_is_the_result(tmp_path: Path) -> None:
    (last,) = checkpoint_callbacks(RunFolder(tmp_path), "last", 0)
    assert last.monitor is None
    assert last.filename == "last"


def test_best_is_chosen_on_held_out_identities(tmp_path: Path) -> None:
    best, last = checkpoint_callbacks(RunFolder(tmp_path), "best", 0.1)
    assert best.monitor == "val/mAP"
    assert best.mode == "max"
    assert last.filename == "last"


def test_best_without_held_out_identities_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"held out of training.*set data\.held_out_identities"):
        checkpoint_callbacks(RunFolder(tmp_path), "best", 0)


def test_other_words_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="select=test is unknown: choose last or best"):
        checkpoint_callbacks(RunFolder(tmp_path), "test", 0)
