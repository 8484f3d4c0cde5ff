"""The translation of released names; that the numbers are right is shown by the golden tests."""

import pytest
import torch
from torch import Tensor

from vidreid.models.mgh import MGH
from vidreid.models.released.mgh import from_released
from vidreid.models.visual_network import VisualNetwork


@pytest.fixture(scope="module")
def network() -> VisualNetwork:
    return VisualNetwork(MGH(3, "resnet18", channels=(8, 8, 8, 8), width=4))


def released_name(key: str) -> str:
    """The released name of one of our keys, written independently of the importer's rules."""
    _, part, *rest = key.split(".")
    if part == "backbone" and rest[0] == "non_local":
        inside = {"query": "theta", "key": "phi.0", "value": "g.0", "output": "W.0", "norm": "W.1"}[rest[2]]
        return ".".join(["base", rest[1].replace("_", "."), "nonlocalblock", inside, rest[3]])
    if part == "backbone":
        return ".".join(["base", *rest])
    if part == "graphs":
        layers = {"0": "layers3", "1": "layers1", "2": "layers2"}[rest[0]]
        return ".".join([layers, rest[1], {"own": "W_x", "other": "W_neib", "norm": "bn"}[rest[2]], rest[3]])
    return ".".join([{"global_norm": "bn", "neck": "bnneck", "head": "fc_list"}[part], *rest])


@pytest.fixture
def released(network) -> dict[str, Tensor]:
    return {released_name(key): value for key, value in network.state_dict().items()}


def assert_equal(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert set(ours) == set(theirs)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_every_weight_finds_its_place(network, released) -> None:
    assert_equal(from_released(released, network.state_dict()), network.state_dict())


def test_a_prefix_and_the_unused_classifier(network, released) -> None:
    saved = {f"module.{key}": value for key, value in released.items()}
    saved |= {"module.classifier.weight": torch.zeros(3, 4), "module.classifier.bias": torch.zeros(3)}
    assert_equal(from_released(saved, network.state_dict()), network.state_dict())


def test_problems_are_listed_together(network, released) -> None:
    released.pop("bnneck.bias")
    released["base.layer2.1.nonlocalblock.theta.bias"] = torch.ones(2)
    released["layers1.0.W_z.weight"] = torch.ones(2)
    released["base.layer2.1.nonlocalblock.sub.weight"] = torch.ones(2)
    with pytest.raises(ValueError, match="released checkpoint does not fit") as error:
        from_released(released, network.state_dict())
    message = str(error.value)
    assert "missing: visual.neck.bias" in message
    assert "layers1.0.W_z.weight" in message
    assert "base.layer2.1.nonlocalblock.sub.weight" in message
    assert "visual.backbone.non_local.layer2_1.query.bias (2,) instead of (4,)" in message


def test_unknown_names_are_refused_without_a_network_too(released) -> None:
    with pytest.raises(ValueError, match=r"unexpected: attention\.weight"):
        from_released(released | {"attention.weight": torch.ones(2)})
