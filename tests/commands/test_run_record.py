"""``environment.json`` of real runs: of each stage, of each start, by the first process alone."""

import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from support.runs import NARROW, SMALL, call, compose_training
from vidreid.commands import config_dir
from vidreid.commands.train import train

KMPNET = (
    "experiment=kmpnet_pcb_synthetic", *SMALL, *NARROW, "model.graph.layers=[1,1,1,1]",
    "model.graph.width=16", "callbacks.pictures=null", "seed=3", "data.split_seed=5",
    "stages.visual.trainer.max_epochs=2", "trainer.max_epochs=1", "stages.visual.data.batch_size=4",
)  # fmt: skip


def record(run: Path) -> dict[str, Any]:
    return json.loads((run / "environment.json").read_text())


def test_each_stage_has_its_own_and_a_start_under_other_versions_is_told(
    tiny_root: Path,
    repo_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, home = tmp_path / "run", str(tmp_path)
    monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("USER", "quentin")
    monkeypatch.setattr("sys.argv", ["src/train.py", f"data.root={home}/data", "seed=3"])
    train(compose_training(tiny_root, run, *KMPNET))
    assert "otherwise" not in capsys.readouterr().out
    for folder in (run, run / "visual_stage"):
        text = (folder / "environment.json").read_text()
        told = record(folder)
        assert told["continued"] == []
        start = told["started"]
        assert start["command"] == ["src/train.py", "data.root=~/data", "seed=3"]
        assert {key: start["seeds"][key] for key in ("seed", "data.seed", "data.split_seed")} == {
            "seed": 3, "data.seed": 3, "data.split_seed": 5,
        }  # fmt: skip
        assert start["processes"] == {"world_size": 1, "nodes": 1}
        assert (start["device"], start["precision"]) == ("cpu", "32-true")
        assert platform.node() not in text or len(platform.node()) < 4
        assert "quentin" not in text
        check_code(repo_root, folder, start["code"])

    stage = run / "visual_stage"
    changed = record(stage)
    changed["started"]["packages"]["timm"] = "0.9.0"
    (stage / "environment.json").write_text(json.dumps(changed))
    (stage / "metrics.json").unlink()
    (stage / "checkpoints" / ".last.ckpt.partial-0123.ckpt").write_bytes(b"half")
    (stage / ".metrics.json.partial-0123.json").write_bytes(b"half")
    with initialize_config_dir(config_dir(), version_base="1.3"):
        config = compose("train", [f"resume={stage}"])
    train(config)
    output = capsys.readouterr().out
    assert output.count("note: this run was started otherwise (packages.timm 0.9.0, now ") == 1
    assert [start["after_epochs"] for start in record(stage)["continued"]] == [2]
    assert not list(run.rglob("*.partial-*"))


def check_code(repo_root: Path, run: Path, code: dict[str, Any] | None) -> None:
    """The commit is that of this checkout, if the tests lie in one, and a patch is there if it is named."""
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repo_root, capture_output=True, text=True, check=False
    )
    if head.returncode != 0:
        assert code is None
        return
    assert code is not None
    assert code["commit"] == head.stdout.strip()
    assert (run / "uncommitted.patch").is_file() == (code["patch"] is not None)
    assert (code["uncommitted"] is None) == (code["patch"] is None)


@pytest.mark.slow
def test_of_two_processes_one_writes(tiny_root: Path, repo_root: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    status, output = call(
        repo_root, "train.py", "experiment=pcb_synthetic", *SMALL, *NARROW, "data.batch_size=2",
        "trainer.max_epochs=1", "trainer.devices=2", "trainer.strategy=ddp", "callbacks.pictures=null",
        f"data.root={tiny_root}", f"hydra.run.dir={run}", cwd=tmp_path,
    )  # fmt: skip
    assert status == 0, output
    told = record(run)
    assert told["continued"] == []
    assert told["started"]["processes"] == {"world_size": 2, "nodes": 1}
    assert "otherwise" not in output
