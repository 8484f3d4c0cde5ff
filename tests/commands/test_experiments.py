"""Every file of conf/experiment is composed and run for one step of everything."""

import csv
import inspect
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate

from support.runs import compose_training
from vidreid.commands import config_dir
from vidreid.commands.train import train
from vidreid.data.datamodule import ReidDataModule
from vidreid.keypoints.store import write_keypoints
from vidreid.models.released.methods import TRANSFORMERS

CONF = Path(config_dir())
EXPERIMENTS = sorted((CONF / "experiment").glob("*.yaml"))


MARS_LIKE = ("mars", "posetrackreid", "synthetic")
PAIRS = ("ilids_vid", "prid2011")
OUTFITS = ("ccvid", "mevid")
OTHERS = ("x_mars", "g2a_vreid", "duke_video_reid", "ls_vid")
STORELESS = (*PAIRS, *OUTFITS, "x_mars", "duke_video_reid", "ls_vid")
"""Benchmarks whose tiny trees are written without keypoints."""
BENCHMARKS = {
    "pcb": (*MARS_LIKE, *PAIRS, *OUTFITS, *OTHERS),
    "resnet50": MARS_LIKE,
    "mgh": MARS_LIKE,
    "kmpnet_pcb": MARS_LIKE,
    "kmpnet_resnet50": MARS_LIKE,
    "kmpnet_mgh": MARS_LIKE,
    "key_reid": (*MARS_LIKE, *PAIRS, *OUTFITS, *OTHERS),
    "vid_trans_reid": (*MARS_LIKE, *PAIRS),
    "trans_reid": (*MARS_LIKE, *PAIRS),
}
"""The benchmarks that each method has an experiment on."""

TREES = {"mars": "tiny_root", "synthetic": "tiny_root"}
"""Fixture of the tree that stands for a benchmark, where it is not called after it."""

HEADS = {
    "pcb": [f"stripe_{i}" for i in range(1, 5)],
    "resnet50": ["global"],
    "mgh": ["global", "stripes_2", "stripes_4", "stripes_8"],
    "key_reid": ["global", "head", "torso", "left_arm", "right_arm", "left_leg", "right_leg"],
    "vid_trans_reid": ["global", *(f"stripe_{i}" for i in range(1, 5))],
    "trans_reid": ["global", *(f"stripe_{i}" for i in range(1, 5))],
}
METHODS = {
    "pcb": "PCB",
    "resnet50": "GlobalPooled",
    "mgh": "MGH",
    "key_reid": "KeyReID",
    "vid_trans_reid": "VidTransReID",
    "trans_reid": "TransReID",
}
TERMS = {
    "mgh": ["triplet"],
    "key_reid": ["triplet", "center", "attention"],
    "vid_trans_reid": ["triplet", "center", "attention"],
    "trans_reid": ["triplet"],
}
"""Losses beside the identity loss."""

TINY_TRUNK = [
    "model.backbone.pretrained=false",
    "model.backbone.name=vit_tiny_patch16_224",
    *(f"model.backbone.{key}={value}" for key, value in
      {"embedding": 24, "depth": 2, "heads": 2, "patch": 8, "stride": 8}.items()),
]  # fmt: skip
"""What makes a transformer tiny: golden tests run the real ones."""


def test_every_method_has_an_experiment_on_every_benchmark() -> None:
    wanted = {f"{method}_{data}" for method, benchmarks in BENCHMARKS.items() for data in benchmarks}
    assert {path.stem for path in EXPERIMENTS} == wanted


def parts(experiment: str) -> tuple[str, str]:
    """Return the method and the benchmark of an experiment."""
    return next(
        (method, data)
        for method, benchmarks in BENCHMARKS.items()
        for data in benchmarks
        if experiment == f"{method}_{data}"
    )


def stored_keypoints(root: Path, data: str, folder: Path) -> Path:
    """Write keypoint stores for a tiny tree that has none, and return their folder."""
    module = instantiate(compose_training(root, folder, f"experiment=key_reid_{data}").data)
    benchmark = module.benchmark
    # A dictionary: training and test may share one store.
    stores = {module.train_split: benchmark.train_frames, module.test_split: benchmark.test_frames}
    for split, frames in stores.items():
        joints = np.random.default_rng(0).random((len(frames), 17, 3)) * [16, 32, 1]
        write_keypoints(folder, split, joints, frames.names_crc(), "test")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("experiment", [path.stem for path in EXPERIMENTS])
def test_one_step_of_everything(experiment: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    method, data = parts(experiment)
    branch = method.removeprefix("kmpnet_")
    with_graph = method.startswith("kmpnet")
    root = request.getfixturevalue(TREES.get(data, f"{data}_root"))
    start = ["model.visual.pretrained=false"]
    if method in TRANSFORMERS:
        start = TINY_TRUNK
        if method == "key_reid" and data in STORELESS:
            start = [*start, f"data.keypoints={stored_keypoints(root, data, tmp_path / 'keypoints')}"]
    config = compose_training(
        root,
        tmp_path / "run",
        f"experiment={experiment}",
        "debug=fast",
        *start,
        "data.height=64",  # the real networks on small pictures: seconds instead of a minute
        "data.width=32",
        "data.batch_size=2",
        "data.identities_per_batch=2",
        "data.tracklets_per_identity=2",
        "data.clip_length=2",
        "data.test_clip_length=2",
        "data.test_batch_size=4",
        "data.held_out_identities=2",
        "++stages.visual.data.batch_size=2",
        "++stages.visual.data.clip_length=2",
        "trainer.enable_progress_bar=false",
    )
    metrics = train(config)
    stored = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert stored == json.loads(json.dumps(metrics))
    assert stored["method"] == (f"KMPNet({METHODS[branch]})" if with_graph else METHODS[branch])
    assert stored["data"]["name"] == ("synthetic" if data in TREES else data)
    assert stored["data"].get("split") == (0 if data in PAIRS else None)
    with (tmp_path / "run" / "csv" / "metrics.csv").open() as file:
        columns = next(csv.reader(file))
    visual, graph = ("identity", "identity")
    if method == "kmpnet_mgh":
        visual, graph = "identity_visual", "identity_graph"
    heads = {f"train/{visual}/{name}" for name in HEADS[branch]}
    heads |= {f"train/{graph}/graph_{i}" for i in range(1, 6)} if with_graph else set()
    heads |= {f"train/{term}" for term in TERMS.get(branch, [])}
    assert {"epoch", "step", "train/frames_per_second", "val/mAP", *heads} <= set(columns)
    assert [c for c in columns if c.startswith("lr-")], "learning rates are logged"
    assert (tmp_path / "run" / "visual_stage" / "metrics.json").is_file() == with_graph


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
    assert config.stages.plan == "visual_then_graph"
    assert config.stages.visual.trainer.max_epochs == 45
    assert (config.data.protocol, config.select) == ("official", "last")


def test_every_setting_of_the_data_has_a_key(repo_root: Path) -> None:
    keys = set(yaml.safe_load((repo_root / "conf" / "data" / "mars.yaml").read_text())) - {"_target_"}
    assert keys == set(inspect.signature(ReidDataModule.__init__).parameters) - {"self"}


@pytest.mark.parametrize(
    "variant", ["key_reid_released", "key_reid_paper", "vid_trans_reid_released", "trans_reid_released"]
)
def test_one_step_of_the_variants_of_transformers(variant: str, tiny_root: Path, tmp_path: Path) -> None:
    method = variant.rpartition("_")[0]
    metrics = train(
        compose_training(
            tiny_root, tmp_path / "run", f"experiment={method}_synthetic", f"variant={variant}", "debug=fast",
            "model.backbone.depth=2", "data.identities_per_batch=2", "trainer.enable_progress_bar=false",
        )
    )  # fmt: skip
    assert metrics["method"] == METHODS[method]


@pytest.mark.parametrize("variant", ["kmpnet_released", "kmpnet_paper", "kmpnet_balanced"])
def test_one_step_of_the_variants(variant: str, tiny_root: Path, tmp_path: Path) -> None:
    metrics = train(
        compose_training(
            tiny_root,
            tmp_path / "run",
            "experiment=kmpnet_pcb_synthetic",
            f"variant={variant}",
            "debug=fast",
            "data.clip_length=2",
            "data.batch_size=2",
            "data.test_clip_length=2",
            "stages.visual.data.batch_size=2",
            "trainer.enable_progress_bar=false",
        )
    )
    assert metrics["protocol"] == ("no_distractors" if variant == "kmpnet_released" else "official")


def test_what_the_variants_say(tmp_path: Path) -> None:
    def graph(*overrides: str):
        config = compose_training(tmp_path, tmp_path, "experiment=kmpnet_pcb_mars", *overrides)
        return config, config.model.graph

    config, released = graph("variant=kmpnet_released")
    assert (list(released.layers), released.temperature, released.border, released.offset) == (
        [5, 7, 11, 4], "inverse", "zero", 0.5,
    )  # fmt: skip
    data = config.data
    assert (data.train_sampling, data.clip_length, data.test_clip_length) == ("released_evenly", 16, 16)
    assert (data.independent_frames, data.keypoints_follow, data.protocol) == (True, False, "no_distractors")
    _, paper = graph("variant=kmpnet_paper")
    assert (paper.layers, paper.temperature, paper.offset, paper.border) == (27, "divides", 0.0, "clamp")
    _, balanced = graph("variant=kmpnet_balanced")
    assert (balanced.balance, list(balanced.layers)) == ("stages", [1, 1, 1, 1])
    config, default = graph()
    assert default.balance == "released"
    assert (config.data.keypoints_follow, default.border, default.temperature) == (True, "clamp", "inverse")


@pytest.mark.slow
@pytest.mark.parametrize("study", [path.stem for path in sorted((CONF / "study").glob("*.yaml"))])
def test_every_job_of_a_study_composes(study: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HydraConfig.instance(), "cfg", HydraConfig.instance().cfg)
    with initialize_config_dir(config_dir(), version_base="1.3"):
        told = compose("train", [f"study={study}"], return_hydra_config=True)
        sweep = {key: str(values).split(",") for key, values in told.hydra.sweeper.params.items()}
        repeat = told.study.get("repeat") or "seed"
        assert sweep[repeat] == [str(number) for number in range(10 if repeat == "data.split" else 3)]
        rows = set()
        for values in itertools.product(*sweep.values()):
            job = [f"{key}={value}" for key, value in zip(sweep, values, strict=True)]
            config = compose("train", [f"study={study}", *job, "hydra.job.num=0"], return_hydra_config=True)
            HydraConfig.instance().set_config(config)
            rows.add(config.study.row)
            assert config.model._target_
    labels = set(told.study.labels)
    assert rows <= labels or not labels
    # Other labels are of arms that can be added, or of further descriptors of a row, after a slash.
    arms = {path.stem for path in (CONF / "arm").rglob("*.yaml")}
    assert all(row in rows | arms or row.rpartition("/")[0] in rows for row in labels)
    assert all(set(numbers) <= labels for numbers in told.study.paper.values())
