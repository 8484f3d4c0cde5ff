"""Trunks beyond ResNet, as timm has them."""

import pytest
import torch

from vidreid.models.backbones.staged import StagedTimm, staged_backbone
from vidreid.models.backbones.staged_resnet import StagedResNet


@pytest.mark.parametrize(
    ("name", "channels", "scales"),
    [
        ("convnext_atto", (40, 80, 160, 320), (1 / 4, 1 / 8, 1 / 16, 1 / 16)),
        ("regnety_002", (32, 24, 56, 152, 368), (1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16)),
    ],
)
def test_maps_have_the_announced_sizes(name, channels, scales) -> None:
    trunk = staged_backbone(name)
    assert (trunk.channels, trunk.scales) == (channels, scales)
    maps = trunk(torch.zeros(2, 3, 64, 32))
    wanted = [(2, c, int(64 * s), int(32 * s)) for c, s in zip(channels, scales, strict=True)]
    assert [tuple(level.shape) for level in maps] == wanted
    assert len(trunk.depths) == len(channels) - 1


def test_depths_count_the_convolutions_of_a_stage() -> None:
    # Three a bottleneck and one in the shortcut of the first.
    assert StagedTimm("resnet50").depths == (10, 13, 19, 10)
    assert StagedResNet("resnet50").depths == (3, 4, 6, 3)


def test_the_maps_of_a_resnet_are_those_of_the_plain_network() -> None:
    torch.manual_seed(0)
    ours = StagedTimm("resnet18", last_stride=2).eval()
    plain = StagedResNet("resnet18", last_stride=2).eval()
    plain.load_state_dict(ours.net.state_dict())
    frames = torch.randn(1, 3, 64, 32)
    with torch.no_grad():
        for theirs, own in zip(plain(frames)[1:], ours(frames)[1:], strict=True):
            torch.testing.assert_close(own, theirs)


def test_local_weights(tmp_path) -> None:
    first = StagedTimm("convnext_atto")
    state = first.net.state_dict() | {"head.fc.weight": torch.zeros(3, 320), "head.fc.bias": torch.zeros(3)}
    torch.save(state, tmp_path / "weights.pth")
    second = StagedTimm("convnext_atto", weights=tmp_path / "weights.pth")
    assert all(
        torch.equal(value, second.net.state_dict()[key]) for key, value in first.net.state_dict().items()
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "resnet51"}, "timm has no model 'resnet51'"),
        ({"name": "vit_tiny_patch16_224"}, "'vit_tiny_patch16_224' cannot keep its last map at 1/16"),
        ({"name": "vit_tiny_patch16_224", "last_stride": 2}, "is no CNN with stages"),
        ({"name": "convnext_atto", "channels": (8, 8, 8, 8)}, "channels narrows ResNets only"),
        ({"name": "convnext_atto", "last_stride": 3}, "last_stride is 3"),
    ],
)
def test_what_does_not_fit_is_refused(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        staged_backbone(**options)
