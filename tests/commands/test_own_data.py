"""Every method that has an experiment for MARS also trains on own data: one step of everything."""

import json
from pathlib import Path

import pytest

from support.own_data import make_folder_tree, rows_of_noise, with_keypoints
from support.runs import NARROW, call, compose_training
from vidreid.commands.train import train

SIZES = [
    "debug=fast", "data.height=64", "data.width=32", "data.identities_per_batch=2", "data.clip_length=2",
    "data.tracklets_per_identity=2", "data.test_clip_length=2", "++stages.visual.data.clip_length=2",
    "trainer.enable_progress_bar=false", "trainer.limit_test_batches=1.0",
]  # fmt: skip
RESNET = ["model.visual.pretrained=false", "model.visual.backbone=resnet10t", *NARROW]
VIT = [
    "model.backbone.pretrained=false", "model.backbone.name=vit_tiny_patch16_224", "model.backbone.depth=2",
    "model.backbone.embedding=24", "model.backbone.heads=2", "model.backbone.patch=8",
    "model.backbone.stride=8",
]  # fmt: skip


@pytest.fixture(scope="module")
def manifest_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("manifest")
    rows, _ = with_keypoints(rows_of_noise(root))
    rows.to_csv(root / "manifest.csv", index=False)
    return root


@pytest.fixture(scope="module")
def folders_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder_tree(tmp_path_factory.mktemp("folders"))


@pytest.mark.parametrize(
    ("experiment", "data", "overrides"),
    [
        ("pcb_mars", "manifest", RESNET),
        ("pcb_mars", "folders", RESNET),
        ("kmpnet_pcb_mars", "manifest", [*RESNET, "data.keypoints=manifest", "model.graph.layers=[1,1,1,1]"]),
        ("key_reid_mars", "manifest", [*VIT, "data.keypoints=manifest"]),
        ("key_reid_mars", "manifest", [*VIT, "data.keypoints=manifest", "data.cameras=each_tracklet"]),
        ("pcb_synthetic", "folders", ["data.cameras=each_tracklet"]),
    ],
)
def test_one_step_of_everything(
    experiment: str, data: str, overrides: list[str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    root = request.getfixturevalue(f"{data}_root")
    config = compose_training(
        root, tmp_path / "run", f"experiment={experiment}", f"data={data}", "name=mine", *SIZES, *overrides
    )
    assert config.data.sampler == "identity"
    metrics = train(config)
    assert metrics == json.loads((tmp_path / "run/metrics.json").read_text())
    assert (metrics["name"], metrics["data"]["name"], metrics["protocol"]) == ("mine", data, "official")
    assert (metrics["queries_counted"], metrics["gallery"], metrics["data"]["train_identities"]) == (6, 6, 3)


@pytest.mark.slow
def test_the_command_says_what_it_does_and_what_is_wrong(
    repo_root: Path, manifest_root: Path, tmp_path: Path
) -> None:
    command = ["experiment=pcb_mars", "data=manifest", f"data.root={manifest_root}", *SIZES, *RESNET]
    status, output = call(repo_root, "train.py", *command, cwd=tmp_path)
    assert status == 0, output
    assert "note: " in output
    assert "gives no roles: 3 people are for training and 3 for test" in output
    status, output = call(repo_root, "train.py", *command, "data.manifest=nowhere.csv", cwd=tmp_path)
    assert status == 1
    assert output.startswith("error: The manifest ")
