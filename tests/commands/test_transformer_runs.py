"""A small KeyRe-ID from training to numbers: kinds of queries, unknown cameras, protocols, export,
resuming."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir
from lightning.pytorch.callbacks import Callback
from safetensors import safe_open

import vidreid.commands.single_training as command
from support.runs import SMALL, call, compose_training
from vidreid.commands import config_dir
from vidreid.commands.evaluate import evaluate_run
from vidreid.commands.export import export_run
from vidreid.commands.train import train
from vidreid.data.readers.mars_reader import read_mars

TINY = (
    "experiment=key_reid_synthetic", *SMALL, "data.identities_per_batch=2", "data.identity_visits=1",
    "model.backbone.embedding=24", "model.backbone.depth=2", "model.backbone.heads=2",
    "model.backbone.patch=16", "model.backbone.stride=16",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "key_reid"
    train(compose_training(tiny_root, folder, *TINY, "trainer.max_epochs=2"))
    return folder


def composed(name: str, *overrides: str) -> Any:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose(name, list(overrides))


def metrics(run: Path) -> dict[str, Any]:
    return json.loads((run / "metrics.json").read_text())


def test_occluded_queries_are_scored_apart(run: Path, tiny_root: Path) -> None:
    told = metrics(run)
    benchmark = read_mars(tiny_root)
    asks = benchmark.test["is_query"].to_numpy(dtype=bool)
    kind = told["subsets"]["occluded"]
    assert kind["queries"] == int((asks & benchmark.subsets["occluded"]).sum())
    assert 0 <= kind["rank1"] <= 1
    # The number of all queries is a mean of those of the two kinds.
    occluded, every = kind["queries"], told["queries_counted"]
    others = (told["mAP"] * every - kind["mAP"] * occluded) / (every - occluded)
    assert 0 <= others <= 1


def test_the_scores_of_a_kind_of_all_queries_are_those_of_all(
    run: Path, tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def everybody(root: Path, test: Any) -> dict[str, Any]:
        return {"all": np.ones(len(test), dtype=bool), "none": np.zeros(len(test), dtype=bool)}

    monkeypatch.setattr("vidreid.data.readers.mars_reader.occluded_tracklets", everybody)
    told = evaluate_run(composed("eval", f"run={run}"))
    assert told["subsets"]["all"]["rank1"] == pytest.approx(told["rank1"])
    assert told["subsets"]["all"]["mAP"] == pytest.approx(told["mAP"])
    assert told["subsets"]["all"]["queries"] == told["queries_counted"] + told["queries_dropped"]
    assert told["subsets"]["none"] == {"rank1": None, "mAP": None, "queries": 0}


def test_cameras_can_be_kept_from_the_network(run: Path) -> None:
    known = evaluate_run(composed("eval", f"run={run}"))
    unknown = evaluate_run(composed("eval", f"run={run}", "cameras=unknown"))
    assert (run / "eval_cameras-unknown_last.json").is_file()
    assert unknown["cmc"] != known["cmc"] or unknown["mAP"] != known["mAP"]
    with pytest.raises(ValueError, match="There is no cameras=some: choose known or unknown"):
        evaluate_run(composed("eval", f"run={run}", "cameras=some"))


def test_the_configuration_of_a_run_is_whole(run: Path) -> None:
    """What was filled in from data and network stands in it, so that evaluation needs neither again."""
    stored = composed("eval", f"run={run}")
    assert evaluate_run(stored)["mAP"] == metrics(run)["mAP"]
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["model"]["backbone"]["cameras"] == config["camera_numbers"]
    assert config["loss"]["terms"]["center"]["global_size"] == 24
    assert config["loss"]["terms"]["center"]["part_size"] == 24


def test_both_tables_of_centres_are_trained(run: Path) -> None:
    """They are in the checkpoint, and the parts' moved from where they began."""
    state = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    tables = [key for key in state if key.endswith("_centers")]
    assert sorted(tables) == ["losses.terms.center.global_centers", "losses.terms.center.part_centers"]


def test_an_export_needs_keypoints_and_says_so(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = export_run(composed("export", f"run={run}"))
    assert "the descriptor needs keypoints too" in capsys.readouterr().out
    with safe_open(file, "pt") as archive:
        assert not [key for key in archive.keys() if key.startswith("head")]  # noqa: SIM118
        model = json.loads(archive.metadata()["model"])
    assert model["part_guidance"] == "fixed"
    assert model["backbone"]["embedding"] == 24


class StopInTheSecondEpoch(Callback):
    """Ctrl-C once there is a checkpoint."""

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt


def test_it_goes_on_after_an_interruption(run: Path, tiny_root: Path, tmp_path: Path) -> None:
    """Two epochs with a stop between them end as two epochs at once: centres, optimisers and schedule
    included."""
    whole = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    parted = tmp_path / "parted"
    config = compose_training(tiny_root, parted, *TINY, "trainer.max_epochs=2")
    make = command._trainer

    def stopping(*args: Any) -> Any:
        trainer = make(*args)
        trainer.callbacks.append(StopInTheSecondEpoch())
        return trainer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "_trainer", stopping)
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            train(config)
    assert (parted / "checkpoints" / "last.ckpt").is_file()
    train(compose_training(tiny_root, parted, f"resume={parted}"))
    again = torch.load(parted / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    for key, value in whole.items():
        assert torch.equal(value, again[key]), key


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("data.keypoints=null", "KeyReID reads keypoints and data.keypoints is null: name a source"),
        ("data.test_keypoints=false", "KeyReID describes with keypoints: set data.test_keypoints=true"),
        ("data.test_clip_length=3", "built for clips of 2 frames and data.test_clip_length is 3: make them"),
    ],
)
def test_what_would_fail_at_the_test_is_said_before_training(
    setting: str, sentence: str, tiny_root: Path, tmp_path: Path, repo_root: Path
) -> None:
    status, output = call(
        repo_root, "train.py", *TINY, "model.tokens=aligned", setting, f"data.root={tiny_root}",
        f"hydra.run.dir={tmp_path}/run", cwd=tmp_path,
    )  # fmt: skip
    assert status == 1
    assert "Traceback" not in output
    assert "error: " in output
    assert sentence in output
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_visual_checkpoint_is_for_other_networks(tiny_root: Path, run: Path, tmp_path: Path) -> None:
    checkpoint = run / "checkpoints" / "last.ckpt"
    with pytest.raises(
        ValueError, match="and KeyReID has none: leave it out, or give the weights of its trunk"
    ):
        train(compose_training(tiny_root, tmp_path / "run", *TINY, f"visual_checkpoint={checkpoint}"))
