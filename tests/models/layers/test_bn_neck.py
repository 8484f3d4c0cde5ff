"""Necks under bfloat16 autocast: alone, and where networks have them."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from models.key_reid.test_network import key_reid
from vidreid.losses.identity import IdentityLoss
from vidreid.losses.recipe import LossRecipe
from vidreid.losses.triplet import TripletLoss
from vidreid.models.kmpnet import GraphBranch, KMPNet
from vidreid.models.layers.bn_neck import BNNeck, NeckClassifier, bn_neck
from vidreid.models.mgh import MGH
from vidreid.models.network import ReidNetwork
from vidreid.models.pcb import PCB
from vidreid.models.visual_network import VisualNetwork

NARROW = (8, 8, 16, 16)
PIDS = torch.tensor([0, 0, 3, 3])


def by_hand(vectors: Tensor, neck: nn.BatchNorm1d) -> Tensor:
    """Batch normalisation in double precision, with a batch's own statistics."""
    wide = vectors.double()
    variance = ((wide - wide.mean(0)) ** 2).mean(0)
    return (wide - wide.mean(0)) / (variance + neck.eps).sqrt() * neck.weight.double() + neck.bias.double()


def test_a_neck_computes_and_hands_on_float32_under_autocast() -> None:
    torch.manual_seed(0)
    neck, trunk = bn_neck(8), nn.Linear(6, 8)
    nn.init.uniform_(neck.weight, 0.5, 2)
    with torch.autocast("cpu", torch.bfloat16):
        vectors = trunk(torch.randn(16, 6) + 3)
        assert vectors.dtype == torch.bfloat16
        normalised = neck(vectors)
        logits = NeckClassifier({"a": 8}, 5)({"a": normalised})["a"]
    assert normalised.dtype == torch.float32
    assert logits.dtype == torch.bfloat16
    expected = by_hand(vectors, neck)
    assert (normalised - expected).abs().max() < 1e-5
    assert (normalised.bfloat16() - expected).abs().max() > 1e-3  # what half precision would lose
    wide = vectors.detach().double()
    torch.testing.assert_close(neck.running_mean, (0.1 * wide.mean(0)).float())
    torch.testing.assert_close(neck.running_var, (0.9 + 0.1 * wide.var(0)).float())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_a_network_of_another_precision_keeps_it(dtype: torch.dtype) -> None:
    """``trainer.precision=bf16-true`` or ``64-true``: the classifiers behind are of that precision too."""
    neck, classifier = bn_neck(8).to(dtype), NeckClassifier({"a": 8}, 5).to(dtype)
    normalised = neck(torch.randn(4, 8, dtype=dtype))
    assert normalised.dtype == dtype
    assert classifier({"a": normalised})["a"].dtype == dtype


def test_a_neck_is_a_batch_norm_with_a_frozen_bias() -> None:
    neck = bn_neck(8)
    assert neck.state_dict().keys() == nn.BatchNorm1d(8).state_dict().keys()
    assert [name for name, p in neck.named_parameters() if p.requires_grad] == ["weight"]


def pcb() -> PCB:
    return PCB(5, "resnet18", channels=NARROW, reduced=8, stripes=2, dropout=0.0)


def kmpnet() -> ReidNetwork:
    return KMPNet(pcb(), partial(GraphBranch, num_identities=5, layers=[1, 1, 1, 1], width=12))


def mgh() -> ReidNetwork:
    return VisualNetwork(MGH(5, "resnet18", channels=NARROW, width=12))


NECKS = {kmpnet: 5, mgh: 1, key_reid: 7}


@pytest.mark.parametrize("make", NECKS)
def test_networks_train_and_describe_under_autocast(make) -> None:
    torch.manual_seed(0)
    network = make()
    frames = 3
    images = torch.randn(4, frames, 3, 128, 64, generator=torch.Generator().manual_seed(1))
    joints = 17 if make is key_reid else 12
    places = torch.rand(4, frames, joints, 2, generator=torch.Generator().manual_seed(2))
    keypoints = torch.cat([places * torch.tensor([64.0, 128.0]), torch.ones(4, frames, joints, 1)], -1)
    cameras = torch.tensor([1, 2, 1, 3])
    necks = {name: layer for name, layer in network.named_modules() if isinstance(layer, BNNeck)}
    assert len(necks) == NECKS[make]
    seen: dict[str, set[torch.dtype]] = {name: set() for name in necks}
    for name, layer in necks.items():
        layer.register_forward_hook(lambda _, args, out, name=name: seen[name].update((out.dtype,)))
    triplet = TripletLoss(margin=0.3, embedding="global" if make is key_reid else "visual")
    losses = LossRecipe({"identity": IdentityLoss(), "triplet": triplet})

    plain = network(images, keypoints, cameras)
    exact, _ = losses(plain.logits, plain.embeddings, PIDS)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = network(images, keypoints, cameras)
        loss, _ = losses(outputs.logits, outputs.embeddings, PIDS)
    assert set().union(*seen.values()) == {torch.float32}
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=0.05)
    loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())
    assert any(p.grad is not None and p.grad.any() for p in network.parameters())

    network.eval()
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        described = network.describe(images, keypoints, cameras)
    assert described.isfinite().all()
    # KMPNet's descriptor is PCB's, which has no neck.
    assert described.dtype == torch.float32 or make is kmpnet
