"""``trainer.precision=bf16-mixed`` with every family of methods: a training step and an evaluation."""

import math
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from support.runs import NARROW, SMALL, compose_training
from vidreid.commands.building import build_module, open_data
from vidreid.commands.quiet import quiet
from vidreid.metrics.reid import ReidMetric
from vidreid.training.module import ReidModule
from vidreid.training.step_seed import StepSeed

GRAPH = ("model.graph.layers=[1,1,1,1]", "model.graph.width=16")
MGH = (NARROW[0], "model.visual.width=16")
FAMILIES: dict[str, tuple[str, ...]] = {
    "pcb": NARROW,
    "kmpnet_pcb": (*NARROW, *GRAPH),
    "kmpnet_mgh": (*MGH, *GRAPH),
    "key_reid": (),
    "vid_trans_reid": (),
    "trans_reid": (),
}


def start(root: Path, folder: Path, method: str, precision: str) -> tuple[Any, Any, Any]:
    settings = (*SMALL, "data.identities_per_batch=2", f"precision={precision}")
    config = compose_training(root, folder, f"experiment={method}_synthetic", *FAMILIES[method], *settings)
    L.seed_everything(0, verbose=False)
    data = open_data(config)
    trainer = L.Trainer(
        accelerator="cpu", devices=1, precision=config.trainer.precision, max_epochs=1,
        callbacks=[StepSeed(0)], limit_train_batches=1, limit_val_batches=0, logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
    )  # fmt: skip
    return build_module(config), data, trainer


def losses(root: Path, folder: Path, method: str, precision: str) -> dict[str, float]:
    """Return all logged terms of one training step."""
    module, data, trainer = start(root, folder, method, precision)
    kinds: set[torch.dtype] = set()

    def forward(network: Any, inputs: Any, out: Any) -> None:
        kinds.update(logit.dtype for logit in out.logits.values())

    module.network.register_forward_hook(forward)
    with quiet():
        trainer.fit(module, datamodule=data)
    assert kinds == {torch.bfloat16 if precision == "bf16-mixed" else torch.float32}
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in module.parameters())
    return {name: float(value) for name, value in trainer.callback_metrics.items() if "train/" in name}


@pytest.mark.parametrize("method", FAMILIES)
def test_a_training_step_comes_close(method: str, tiny_root: Path, tmp_path: Path) -> None:
    """Of bfloat16's 8 bits a mean of many rounded numbers should keep all but the last.

    A hinge is the difference of two distances: it may be off by that share of a distance.
    """
    whole = losses(tiny_root, tmp_path, method, "32-true")
    half = losses(tiny_root, tmp_path, method, "bf16-mixed")
    assert half.keys() == whole.keys()
    assert len(whole) > 4
    share = 2.0**-7
    for name, value in whole.items():
        slack = share * abs(value)
        if name in ("train/loss", "train/triplet"):
            slack = max(slack, share * whole.get("train/triplet/positive", 0.0))
        assert math.isfinite(half[name])
        assert abs(half[name] - value) <= slack, f"{name}: {value} and {half[name]}"
    assert half != whole


@pytest.mark.parametrize("method", ["pcb", "key_reid"])
def test_descriptors_and_ranking_are_single_precision(
    method: str, tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network alone runs under autocast: the ranking is that of its descriptors, made anew."""
    module, data, trainer = start(tiny_root, tmp_path, method, "bf16-mixed")
    assert isinstance(module, ReidModule)
    seen: list[tuple[Any, ...]] = []
    update = ReidMetric.update
    inside: list[bool] = []

    def spy(self: ReidMetric, *arguments: Any) -> None:
        seen.append(arguments)
        inside.append(torch.is_autocast_enabled("cpu"))
        update(self, *arguments)

    with quiet(), monkeypatch.context() as patched:
        patched.setattr(ReidMetric, "update", spy)
        trainer.test(module, datamodule=data, verbose=False)
    assert all(inside), "steps run under autocast, or this test sees nothing"
    assert {arguments[0].dtype for arguments in seen} == {torch.float32}
    assert module.metric is not None
    descriptors = module.metric.descriptors()
    assert descriptors.features.dtype == torch.float32
    if descriptors.visible is None:
        own = [features[tracklets == descriptors.tracklets[0]] for features, _, tracklets, *_ in seen]
        mean = torch.cat(own).double().mean(0)
        torch.testing.assert_close(descriptors.features[0].double(), mean, rtol=1e-6, atol=1e-7)
    again = module.make_test_metric(
        expected_clips=data.test_clips,
        segments=module.network.segments,
        segment_weights=module.network.segment_weights,
    )
    for arguments in seen:
        again.update(*arguments)
    assert module.evaluation is not None
    assert {name: float(value) for name, value in again.compute().items()} == module.evaluation.scalars
    assert torch.equal(again.result().average_precisions, module.evaluation.ranking.average_precisions)
