"""``pack``, and a run that reads packs."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from support.mars_tree import make_mars_tree
from support.runs import NARROW, SMALL, call, compose_training
from vidreid.commands import config_dir
from vidreid.commands.evaluate import evaluate_run
from vidreid.commands.pack import pack
from vidreid.commands.train import train


def _compose(name: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose(name, list(overrides))


def test_it_packs_both_splits_and_finds_them_packed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_mars_tree(tmp_path / "mars")
    told = []
    for _ in range(2):
        assert [len(packed) for packed in pack(_compose("pack", f"data.root={root}"))] == [45, 37]
        told.append(capsys.readouterr().out)
    assert all(f"{root}/packed/bbox_train.bin: 45 frames, 0.0 MB" in text for text in told)
    assert "━" not in told[1], "no bar where nothing is to do"


@pytest.mark.slow
def test_a_missing_frame_is_one_sentence(tmp_path: Path, repo_root: Path) -> None:
    root = make_mars_tree(tmp_path / "mars")
    frame = sorted((root / "bbox_train").rglob("*.jpg"))[3]
    frame.unlink()
    status, output = call(repo_root, "pack.py", f"data.root={root}", cwd=tmp_path)
    assert status == 1
    assert f"error: Frame {frame} cannot be read" in output
    assert "Traceback" not in output
    for packed, count in zip(
        pack(_compose("pack", f"data.root={root}", "data.on_bad_frame=skip_frame")), (1, 0), strict=True
    ):
        assert packed.absent == count


@pytest.mark.slow
def test_a_run_has_the_same_numbers(tiny_root: Path, tmp_path: Path) -> None:
    packs = tmp_path / "packs"
    there = f"data.pack_folder={packs}"
    settings = (*SMALL, *NARROW, "experiment=pcb_synthetic", "debug=fast")
    numbers = []
    for name, extra in (("folders", ()), ("packed", ("data.pack=true", there))):
        metrics = train(compose_training(tiny_root, tmp_path / name, *settings, *extra))
        numbers.append({key: value for key, value in metrics.items() if key != "seconds"})
    assert numbers[0] == numbers[1]
    assert sorted(path.name for path in packs.glob("*.bin")) == ["bbox_test.bin", "bbox_train.bin"]
    for name, value in (("folders", "true"), ("packed", "false")):
        evaluate_run(_compose("eval", f"run={tmp_path / name}", f"data.pack={value}", there))
        assert (tmp_path / name / "eval.json").is_file(), "these are the run's own settings"
