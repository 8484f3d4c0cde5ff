"""``channels_last=true``: applied to the whole network, kept by a checkpoint, and the same numbers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from support.memory_modules import IDENTITIES, batch
from support.runs import NARROW, compose_training
from vidreid.commands.building import build_module

TINY = ("model.backbone.depth=2",)
METHODS = {
    "pcb": NARROW,
    "resnet50": NARROW[:1],
    "mgh": (NARROW[0], "model.visual.width=16"),
    "kmpnet_pcb": (*NARROW, "model.graph.layers=[1,1,1,1]", "model.graph.width=16"),
    "key_reid": TINY,
}


def module_of(method: str, folder: Path, channels_last: bool) -> Any:
    settings = [
        f"experiment={method}_synthetic", *METHODS[method], f"channels_last={channels_last}",
        "data.height=64", "data.width=32", "data.clip_length=2", f"num_identities={IDENTITIES}",
        "camera_numbers=[1,2]", "stages.plan=single",
    ]  # fmt: skip
    config = compose_training(folder, folder, *settings)
    torch.manual_seed(0)
    module = build_module(config).double()
    for one in module.modules():
        if isinstance(one, nn.Dropout):
            one.p = 0.0
    module.log = lambda *args, **kwargs: None
    return module


def is_channels_last(values: Tensor) -> bool:
    return values.is_contiguous(memory_format=torch.channels_last)


def step(module: Any, joints: int) -> tuple[Tensor, dict[str, Tensor]]:
    clips = batch(8)
    assert clips.keypoints is not None
    loss = module.train().training_step(clips._replace(keypoints=clips.keypoints[:, :, :joints]), 0)
    loss.backward()
    return loss.detach(), {name: p.grad for name, p in module.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("method", METHODS)
def test_the_numbers_are_the_same(method: str, tmp_path: Path) -> None:
    """Double precision, so that only the order of sums differs: loss and gradients of a training step."""
    joints = 12 if method == "kmpnet_pcb" else 17
    plain, last = (module_of(method, tmp_path, layout) for layout in (False, True))
    loss, expected = step(plain, joints)
    value, got = step(last, joints)
    torch.testing.assert_close(value, loss, rtol=1e-10, atol=0)
    assert got.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(got[name], gradient, rtol=1e-6, atol=1e-9, msg=name)


@pytest.mark.parametrize("method", METHODS)
def test_weights_and_maps_have_the_layout(method: str, tmp_path: Path) -> None:
    for wanted in (False, True):
        module = module_of(method, tmp_path, wanted)
        weights = [p for p in module.parameters() if p.dim() == 4 and p.shape[1] > 1 and p.shape[2] > 1]
        assert weights
        assert [is_channels_last(weight) for weight in weights] == [wanted] * len(weights)
        # A checkpoint is written in another layout, and does not change that of the network.
        state = {name: value.contiguous() for name, value in module.state_dict().items()}
        module.load_state_dict(state)
        assert [is_channels_last(weight) for weight in weights] == [wanted] * len(weights)
        if method == "key_reid":
            continue
        with torch.no_grad():
            maps = module.network.visual.stages(module.normalize(batch(2).images).flatten(0, 1))
        assert [is_channels_last(one) for one in maps[1:]] == [wanted] * (len(maps) - 1)
