"""What is the result: the last epoch, or the best on identities held out for it."""

from pathlib import Path

import pytest
import torch

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


def test_a_moved_run_remembers_its_best_epoch(tmp_path: Path) -> None:
    """Lightning's own state names the old folder; here the score and the file in the new one stay."""
    best, _ = checkpoint_callbacks(RunFolder(tmp_path / "old"), "best", 0.1)
    file = str(tmp_path / "old" / "checkpoints" / "best.ckpt")
    best.best_model_path = best.kth_best_model_path = file
    best.best_model_score = best.kth_value = torch.tensor(0.5)
    best.best_k_models = {file: best.best_model_score}
    moved, _ = checkpoint_callbacks(RunFolder(tmp_path / "new"), "best", 0.1)
    assert moved.state_key == best.state_key
    assert moved.state_key.startswith("ModelCheckpoint{"), "as checkpoints of earlier versions have it"
    moved.load_state_dict(best.state_dict())
    there = str(tmp_path / "new" / "checkpoints" / "best.ckpt")
    assert moved.best_model_path == moved.kth_best_model_path == there
    assert moved.best_k_models == {there: torch.tensor(0.5)}
    assert moved.best_model_score == moved.kth_value == torch.tensor(0.5)
