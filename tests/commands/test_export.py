"""The exported descriptor holds nothing of the graph and gives the same bits."""

import json
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from safetensors import safe_open

from support.runs import NARROW, SMALL, compose_training
from vidreid.commands import config_dir
from vidreid.commands.building import build_module
from vidreid.commands.export import export_run
from vidreid.commands.train import train
from vidreid.models.pcb import PCB
from vidreid.models.visual_network import VisualNetwork, export_visual
from vidreid.training.checkpoint import load_network


def test_the_graph_leaves_nothing_behind(tiny_root: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    config = compose_training(
        tiny_root, run, "experiment=kmpnet_pcb_synthetic", *SMALL, *NARROW, "debug=fast",
        "model.graph.layers=[1,1,1,1]", "channels_last=false",
    )  # fmt: skip
    train(config)
    with initialize_config_dir(config_dir(), version_base="1.3"):
        file = export_run(compose("export", [f"run={run}"]))

    with safe_open(file, "pt") as stored:
        about = {key: json.loads(value) for key, value in stored.metadata().items()}
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
    assert about["method"] == "KMPNet(PCB)"
    assert (about["height"], about["width"], about["clip_length"]) == (128, 64, 2)
    assert not [key for key in tensors if "graph" in key or "classifier" in key]

    settings = {key: value for key, value in about["visual"].items() if not key.startswith("_")}
    rebuilt = export_visual(VisualNetwork(PCB(**settings)))
    rebuilt.load_state_dict(tensors)
    config.num_identities = settings["num_identities"]
    trained = build_module(config)
    load_network(trained.network, run / "checkpoints" / "last.ckpt")
    images = torch.randn(2, 2, 3, 128, 64)
    with torch.no_grad():
        assert torch.equal(rebuilt.describe(images), trained.network.eval().describe(images))
