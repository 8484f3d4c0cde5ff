import pickle
import time

import pytest
import timm
import torch
from safetensors.torch import save_file

from vidreid.models.backbones import weights
from vidreid.models.backbones.staged_resnet import StagedResNet


@pytest.mark.parametrize(
    ("name", "tagged"),
    [
        ("resnet50", "resnet50.tv_in1k"),
        ("resnet50.a1_in1k", "resnet50.a1_in1k"),
        ("resnet10t", "resnet10t.c3_in1k"),
    ],
)
def test_names_get_the_tag_of_the_released_start(name, tagged) -> None:
    assert weights.released_tag(name) == tagged


@pytest.fixture
def empty_cache(monkeypatch) -> None:
    monkeypatch.setattr(weights, "try_to_load_from_cache", lambda repository, name: None)


def no_download(*_: object) -> str:
    raise AssertionError("no download may be tried")


def assert_names_both_ways_out(error: ConnectionError) -> None:
    message = str(error)
    assert "model.visual.weights=FILE" in message
    assert "model.visual.pretrained=false" in message
    assert "\n" not in message


def test_without_a_network_it_fails_at_once_and_names_both_ways_out(empty_cache, monkeypatch) -> None:
    monkeypatch.setattr(weights, "hf_hub_download", no_download)
    with pytest.raises(ConnectionError, match=r"'resnet18\.tv_in1k' cannot be had \(the model hub") as error:
        weights.imagenet_weights("resnet18", reachable=lambda: False)
    assert_names_both_ways_out(error.value)


def test_a_failed_download_names_its_reason(empty_cache, monkeypatch) -> None:
    def refuse(*_: object) -> str:
        raise OSError("disk is full\nand more")

    monkeypatch.setattr(weights, "hf_hub_download", refuse)
    with pytest.raises(ConnectionError, match=r"\(OSError: disk is full\)") as error:
        weights.imagenet_weights("resnet18", reachable=lambda: True)
    assert_names_both_ways_out(error.value)


def test_an_architecture_without_weights(empty_cache) -> None:
    with pytest.raises(ConnectionError, match="timm has none under this name") as error:
        weights.imagenet_weights("resnet50.nonesuch", reachable=no_download)
    assert_names_both_ways_out(error.value)


def test_the_probe_gives_up_quickly(monkeypatch) -> None:
    # Nothing listens on the discard port of this machine.
    monkeypatch.setattr(weights.hub, "ENDPOINT", "http://127.0.0.1:9")
    start = time.monotonic()
    assert not weights.hub_is_reachable(1.0)
    assert time.monotonic() - start < 5


def test_cached_weights_need_no_network(tmp_path, monkeypatch) -> None:
    state = timm.create_model("resnet18").state_dict()
    save_file(state, tmp_path / "model.safetensors")
    monkeypatch.setattr(
        weights, "try_to_load_from_cache", lambda repository, name: str(tmp_path / "model.safetensors")
    )
    monkeypatch.setattr(weights, "hub_is_reachable", no_download)
    monkeypatch.setattr(weights, "hf_hub_download", no_download)
    network = StagedResNet("resnet18", pretrained=True)
    assert torch.equal(network.conv1.weight, state["conv1.weight"])


def test_missing_file(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no weights file .*none\.pth: check the setting `weights`"):
        weights.read_state(tmp_path / "none.pth")


class Dangerous:
    """A pickle that would run code."""

    def __reduce__(self) -> tuple:
        return (print, ("executed",))


@pytest.mark.parametrize(
    "content", [b"", b"not a checkpoint", pickle.dumps(Dangerous(), 2)], ids=["empty", "text", "code"]
)
def test_a_file_that_holds_no_tensors(tmp_path, content, capsys) -> None:
    path = tmp_path / "bad.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as weights"):
        weights.read_state(path)
    assert "executed" not in capsys.readouterr().out


def test_a_list_is_no_state_dict(tmp_path) -> None:
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="holds no state dict"):
        weights.read_state(tmp_path / "list.pth")
