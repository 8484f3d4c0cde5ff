import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from vidreid.models.backbones.staged_resnet import StagedResNet

NARROW = (8, 16, 24, 32)


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("resnet10t", (64, 64, 128, 256, 512)),
        ("resnet18", (64, 64, 128, 256, 512)),
        ("resnet26d", (64, 256, 512, 1024, 2048)),
        ("resnet50", (64, 256, 512, 1024, 2048)),
    ],
)
@pytest.mark.parametrize("last_stride", [1, 2])
def test_taps_have_the_channels_and_sizes_they_say(name, channels, last_stride) -> None:
    network = StagedResNet(name, last_stride=last_stride).eval()
    assert network.channels == channels
    with torch.no_grad():
        maps = network(torch.zeros(1, 3, 64, 32))
    expected = [(16, 8), (16, 8), (8, 4), (4, 2), (4, 2) if last_stride == 1 else (2, 1)]
    assert [tuple(feature_map.shape[1:]) for feature_map in maps] == [
        (c, *size) for c, size in zip(channels, expected, strict=True)
    ]
    assert [feature_map.shape[2] / 64 for feature_map in maps] == list(network.scales)


def test_only_the_strides_of_the_last_layer_change() -> None:
    """With stride 2 it is timm's network; with stride 1 every convolution but two is as it was."""
    reference = timm.create_model("resnet50", num_classes=0)
    network = StagedResNet("resnet50", last_stride=1)
    own = {key: module.stride for key, module in network.named_modules() if isinstance(module, nn.Conv2d)}
    theirs = {
        key: module.stride for key, module in reference.named_modules() if isinstance(module, nn.Conv2d)
    }
    changed = {key for key in theirs if own[key] != theirs[key]}
    assert changed == {"layer4.0.conv2", "layer4.0.downsample.0"}


def test_last_map_is_timms_with_stride_2() -> None:
    reference = timm.create_model("resnet18", num_classes=0).eval()
    network = StagedResNet("resnet18", last_stride=2).eval()
    network.load_state_dict(reference.state_dict())
    frames = torch.randn(2, 3, 64, 32)
    with torch.no_grad():
        assert torch.equal(network(frames)[-1], reference.forward_features(frames))


def test_narrow_network() -> None:
    network = StagedResNet("resnet18", channels=NARROW).eval()
    assert network.channels == (64, *NARROW)
    assert [len(feature_map[0]) for feature_map in network(torch.zeros(1, 3, 32, 32))] == [64, *NARROW]


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_local_weights_lose_their_classifier(tmp_path, suffix) -> None:
    reference = timm.create_model("resnet18", channels=NARROW)
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": reference.state_dict()}, path)
    else:
        save_file(reference.state_dict(), path)
    network = StagedResNet("resnet18", weights=path, channels=NARROW)
    for key, value in network.state_dict().items():
        assert torch.equal(value, reference.state_dict()[key])


def test_weights_that_do_not_fit_are_listed(tmp_path) -> None:
    state = timm.create_model("resnet18", channels=NARROW).state_dict()
    state.pop("layer1.0.conv1.weight")
    state["layer9.weight"] = torch.zeros(1)
    state["bn1.weight"] = torch.zeros(3)
    torch.save(state, tmp_path / "wrong.pth")
    with pytest.raises(ValueError, match="does not fit") as error:
        StagedResNet("resnet18", weights=tmp_path / "wrong.pth", channels=NARROW)
    message = str(error.value)
    assert "missing: layer1.0.conv1.weight" in message
    assert "unexpected: layer9.weight" in message
    assert "of another shape: bn1.weight (3,) instead of (64,)" in message
    assert "fc." not in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "resnet1000"}, "timm has no model 'resnet1000'"),
        ({"name": "vit_tiny_patch16_224"}, "is no ResNet"),
        ({"last_stride": 3}, "last_stride is 3"),
        ({"pretrained": True, "channels": NARROW}, "no ImageNet weights for other widths"),
    ],
)
def test_refusals(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        StagedResNet(**options)
