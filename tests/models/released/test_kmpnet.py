"""The translation of released names; that the numbers are right is shown by the golden tests."""

from functools import partial

import pytest
import torch
from torch import Tensor

from vidreid.models.kmpnet import GraphBranch, KMPNet
from vidreid.models.pcb import PCB
from vidreid.models.released.kmpnet import from_released


@pytest.fixture(scope="module")
def network() -> KMPNet:
    return KMPNet(
        PCB(3, "resnet18", channels=(8, 8, 8, 8), stripes=2), partial(GraphBranch, 3, layers=(1, 1, 1, 1))
    )


def released_name(key: str) -> str:
    """The released name of one of our keys, written independently of the importer's rules."""
    parts = key.split(".")
    if parts[0] == "visual":
        if parts[1] == "backbone":
            return ".".join(["pcb", *parts[2:]])
        if parts[2] == "reduction":
            return ".".join(["pcb.conv5.layers", *parts[3:]])
        return ".".join(["pcb.classifier", *parts[3:]])
    if parts[1] == "fusions":
        return ".".join([f"fc_dim{parts[3]}", parts[2], parts[4]])
    if parts[1] == "heads":
        kind = {"project": "feat_fcs", "norm": "feat_bns", "classifier": "classifier"}[parts[3]]
        return ".".join(["gcn", kind, parts[2], parts[4]])
    if parts[1] == "norm":
        return f"gcn.post_norm.{parts[2]}"
    rest = parts[3:]
    if rest[0] == "convolution":
        rest[0] = "conv"
        if rest[1] == "mlp" and rest[2] == "3":
            rest[2] = "4"
    return ".".join(["gcn.layers", parts[2], *rest])


@pytest.fixture
def released(network) -> dict[str, Tensor]:
    return {released_name(key): value for key, value in network.state_dict().items()}


def assert_equal(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert set(ours) == set(theirs)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_every_weight_finds_its_place(network, released) -> None:
    assert_equal(from_released(released, network.state_dict()), network.state_dict())


def test_both_names_of_the_temperature_a_prefix_and_unused_weights(network, released) -> None:
    newer = {
        f"module.{key.replace('conv.t', 'conv.aggr_module.t')}": value for key, value in released.items()
    }
    newer["module.gcn.node_encoder.weight"] = torch.zeros(64, 6)
    assert_equal(from_released(newer, network.state_dict()), network.state_dict())


def test_torchreids_pcb_has_no_prefix(network, released) -> None:
    alone = {key.removeprefix("pcb."): value for key, value in released.items() if key.startswith("pcb.")}
    visual = {key: value for key, value in network.state_dict().items() if key.startswith("visual.")}
    assert_equal(from_released(alone, visual), visual)


def test_problems_are_listed_together(network, released) -> None:
    released.pop("gcn.post_norm.bias")
    released["gcn.layers.0.conv.t"] = torch.ones(2)
    released["gcn.attention.weight"] = torch.ones(2)
    with pytest.raises(ValueError, match="released checkpoint does not fit") as error:
        from_released(released, network.state_dict())
    message = str(error.value)
    assert "missing: graph.norm.bias" in message
    assert "unexpected: gcn.attention.weight" in message
    assert "graph.layers.0.convolution.t (2,) instead of (1,)" in message


def test_unknown_names_are_refused_without_a_network_too(released) -> None:
    with pytest.raises(ValueError, match=r"unexpected: gcn\.attention\.weight"):
        from_released(released | {"gcn.attention.weight": torch.ones(2)})
