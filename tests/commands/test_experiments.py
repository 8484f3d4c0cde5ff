"""Every file of conf/experiment is composed and run for one step of everything."""

import csv
import inspect
import json
from pathlib import Path

import pytest
import yaml

from support.runs import compose_training
from vidreid.commands.train import train
from vidreid.data.datamodule import ReidDataModule

EXPERIMENTS = sorted((Path(__file__).parents[2] / "conf" / "experiment").glob("*.yaml"))


@pytest.mark.parametrize("experiment", [path.stem for path in EXPERIMENTS])
def test_one_step_of_everything(experiment: str, tiny_root: Path, tmp_path: Path) -> None:
    config = compose_training(
        tiny_root,
        tmp_path / "run",
        f"experiment={experiment}",
        "debug=fast",
        "model.visual.pretrained=false",
        "data.height=64",  # the real networks on small pictures: seconds instead of a minute
        "data.width=32",
        "data.batch_size=2",
        "data.clip_length=2",
        "data.test_clip_length=2",
        "data.test_batch_size=4",
        "data.held_out_identities=2",
        "trainer.enable_progress_bar=false",
    )
    metrics = train(config)
    stored = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert stored == json.loads(json.dumps(metrics))
    assert stored["method"] == ("KMPNet(PCB)" if experiment.startswith("kmpnet") else "PCB")
    with (tmp_path / "run" / "csv" / "metrics.csv").open() as file:
        columns = next(csv.reader(file))
    heads = [f"train/identity/stripe_{i}" for i in range(1, 5)]
    heads += [f"train/identity/graph_{i}" for i in range(1, 6)] if experiment.startswith("kmpnet") else []
    assert {"epoch", "step", "train/identity", "train/frames_per_second", "val/mAP", *heads} <= set(columns)
    assert [c for c in columns if c.startswith("lr-")], "learning rates are logged"
    assert (tmp_path / "run" / "visual_stage" / "metrics.json").is_file() == experiment.startswith("kmpnet")


def test_the_paper_set_up_is_the_paper_set_up(tmp_path: Path) -> None:
    """What the issue of KMPNet(PCB) on MARS says, as resolved from the composed configuration."""
    config = compose_training(tmp_path, tmp_path, "experiment=kmpnet_pcb_mars", "num_identities=625")
    visual, graph = config.model.visual, config.model.graph
    assert (visual.backbone, visual.last_stride, visual.pretrained, visual.stripes) == (
        "resnet50",
        1,
        True,
        4,
    )
    assert (config.data.height, config.data.width, config.data.joints) == (256, 128, "body12")
    assert list(graph.layers) == [5, 7, 11, 4]
    assert (graph.edges, graph.num_identities, graph.joints) == ("both", 625, "body12")
    assert config.loss.terms.identity.reduction == "mean"
    assert config.loss.terms.identity.smoothing == 0.1
    assert config.stages.visual_first
    assert (config.data.protocol, config.select) == ("official", "last")


def test_every_setting_of_the_data_has_a_key(repo_root: Path) -> None:
    keys = set(yaml.safe_load((repo_root / "conf" / "data" / "mars.yaml").read_text())) - {"_target_"}
    assert keys == set(inspect.signature(ReidDataModule.__init__).parameters) - {"self"}
