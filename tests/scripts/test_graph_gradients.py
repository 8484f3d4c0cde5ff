"""Gradients of both losses taken apart, against gradients of a network trained by one of them alone."""

import importlib.util
from pathlib import Path

import pytest
import torch

from support.runs import NARROW, SMALL, compose_training
from vidreid.commands.building import build_module, open_data


def test_shares_are_the_norms_of_separate_backward_passes(tiny_root: Path, repo_root: Path) -> None:
    spec = importlib.util.spec_from_file_location("gradients", repo_root / "scripts" / "graph_gradients.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    config = compose_training(
        tiny_root, tiny_root, "experiment=kmpnet_pcb_synthetic", *SMALL, *NARROW,
        "model.graph.layers=[1,1,1,1]", "model.graph.dropout=0.0",
    )  # fmt: skip
    data = open_data(config)
    module = build_module(config)
    batch = next(iter(data.train_dataloader()))
    shares = script.gradient_shares(module, [batch])
    for heads, field in (("visual", "visual"), ("graph", "graph")):
        module.zero_grad()
        outputs = module.network(module.normalize(batch.images), batch.keypoints)
        chosen = {k: v for k, v in outputs.logits.items() if k.startswith("graph_") == (heads == "graph")}
        labels = batch.pids.repeat_interleave(batch.images.shape[1])
        losses = [
            torch.nn.functional.cross_entropy(logit.flatten(0, 1), labels, label_smoothing=0.1)
            for logit in chosen.values()
        ]
        torch.stack(losses).mean().backward()
        layer3 = module.network.visual.backbone.layer3
        norm = torch.cat([p.grad.flatten() for p in layer3.parameters()]).norm().item()
        assert getattr(shares["layer3"], field) == pytest.approx(norm, rel=1e-4)
    assert -1 <= shares["conv1"].cosine <= 1
