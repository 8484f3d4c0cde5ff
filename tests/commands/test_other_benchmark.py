"""A run is evaluated, and its ranked lists are drawn, on another benchmark than its own."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from support.own_data import rows_of_noise, walkers_as_rows
from support.runs import NARROW, SMALL, call, compose_training
from vidreid.commands import config_dir
from vidreid.commands.evaluate import evaluate_run
from vidreid.commands.evaluation import TABLE
from vidreid.commands.pictures import compared
from vidreid.commands.pictures.compared import draw_compared
from vidreid.commands.train import train
from vidreid.visualize.palette import Frame
from vidreid.visualize.strips import RankedRow, ranked_strips


def asked(command: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose(command, [*overrides])


@pytest.fixture(scope="module")
def pcb(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "pcb"
    train(
        compose_training(tiny_root, run, *SMALL, *NARROW, "experiment=pcb_synthetic", "trainer.max_epochs=1")
    )
    return run


@pytest.fixture(scope="module")
def camera_wise(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that is told the camera."""
    run = tmp_path_factory.mktemp("runs") / "camera_wise"
    settings = ("experiment=vid_trans_reid_synthetic", "debug=fast", "trainer.limit_test_batches=1.0")
    train(
        compose_training(
            tiny_root, run, *SMALL, *settings, "model.backbone.depth=2", "data.identities_per_batch=2"
        )
    )
    return run


@pytest.fixture(scope="module")
def walkers(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test tracklets of the tiny tree as a manifest that leaves nobody to train on."""
    folder = tmp_path_factory.mktemp("walkers")
    rows = walkers_as_rows(tiny_root, folder)
    rows.loc[rows["role"] != "train"].to_csv(folder / "manifest.csv", index=False)
    return folder


def test_the_same_tracklets_give_the_same_numbers(
    pcb: Path, tiny_root: Path, walkers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = evaluate_run(asked("eval", f"run={pcb}"))
    settings = (f"run={pcb}", "benchmark=manifest", f"data.root={walkers}")
    other = evaluate_run(asked("eval", *settings))
    assert {name: other[name] for name in TABLE} == {name: own[name] for name in TABLE}
    assert (other["data"]["name"], other["data"]["train_identities"]) == ("manifest", 0)
    assert (pcb / "eval_benchmark-manifest_last.json").is_file()
    assert "note: " in capsys.readouterr().out
    fewer = evaluate_run(asked("eval", *settings, "data.protocol=queries_removed"))
    kin = evaluate_run(asked("eval", f"run={pcb}", "data.protocol=queries_removed"))
    assert (fewer["mAP"], fewer["gallery"]) == (kin["mAP"], kin["gallery"])
    assert fewer["gallery"] < other["gallery"]


def test_cameras_of_another_benchmark_are_not_told(camera_wise: Path, tiny_root: Path) -> None:
    """Their numbers are those of the run's own cameras by chance."""
    known = evaluate_run(asked("eval", f"run={camera_wise}"))
    unknown = evaluate_run(asked("eval", f"run={camera_wise}", "cameras=unknown"))
    other = ("benchmark=synthetic", f"data.root={tiny_root}")
    assert evaluate_run(asked("eval", f"run={camera_wise}", *other))["cmc"] == unknown["cmc"]
    assert evaluate_run(asked("eval", f"run={camera_wise}", *other, "cameras=known"))["cmc"] == known["cmc"]
    assert known["mAP"] != unknown["mAP"]


def test_settings_that_only_the_other_has(pcb: Path, ilids_vid_root: Path) -> None:
    settings = (f"run={pcb}", "benchmark=ilids_vid", f"data.root={ilids_vid_root}", "data.split=3")
    metrics = evaluate_run(asked("eval", *settings))
    assert (metrics["data"]["split"], metrics["protocol"]) == (3, "cross_camera")
    assert (pcb / "eval_benchmark-ilids_vid_split-3_last.json").is_file()


def test_ranked_lists_of_one_run(pcb: Path, walkers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[RankedRow] = []

    def watched(rows: Sequence[RankedRow]) -> Frame:
        seen.extend(rows)
        return ranked_strips(rows)

    monkeypatch.setattr(compared, "ranked_strips", watched)
    settings = ("figure=ranked", f"run={pcb}", "benchmark=manifest", f"data.root={walkers}")
    file = draw_compared(asked("pictures", *settings, "count=3", "ranks=4"))
    assert file == pcb / "pictures" / "ranked_manifest.png"
    assert file.is_file()
    assert [(row.notes[0], row.same_query, len(row.found)) for row in seen] == 3 * [("PCB", False, 4)]


@pytest.mark.slow
def test_what_cannot_be(pcb: Path, walkers: Path, tmp_path: Path, repo_root: Path) -> None:
    with pytest.raises(ValueError, match=r"no benchmark 'market1501': choose one of ccvid, .*manifest, mars"):
        evaluate_run(asked("eval", f"run={pcb}", "benchmark=market1501"))
    status, out = call(repo_root, "eval.py", f"run={pcb}", "benchmark=manifest", cwd=tmp_path)
    assert (status, out.strip()) == (
        1, "error: Nobody says where the benchmark manifest lies: give its folder by data.root=DIR.",
    )  # fmt: skip
    with pytest.raises(ValueError, match="has 0 people to train on: to tell people apart takes at least two"):
        train(compose_training(walkers, tmp_path / "run", "experiment=pcb_synthetic", "data=manifest"))
    assert not (tmp_path / "run").exists()


def test_nobody_to_train_on_is_said(tmp_path: Path, pcb: Path) -> None:
    rows_of_noise(tmp_path).assign(role="test").to_csv(tmp_path / "manifest.csv", index=False)
    metrics = evaluate_run(asked("eval", f"run={pcb}", "benchmark=manifest", f"data.root={tmp_path}"))
    assert (metrics["queries_counted"], metrics["gallery"]) == (12, 12)
