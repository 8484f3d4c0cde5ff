import math

import pytest
import torch

from vidreid.models.layers.graph_fusion import GraphFusion


def test_one_layer_equals_up_then_down() -> None:
    torch.manual_seed(0)
    fusion = GraphFusion(4, 9).double()
    with torch.no_grad():
        fusion.up.bias.normal_()
        fusion.down.bias.normal_()
    nodes, features = torch.randn(2, 5, 4).double(), torch.randn(2, 5, 9).double()
    nodes.requires_grad_()
    inputs = [nodes, *fusion.parameters()]
    fast = fusion(nodes, features)
    slow = fusion.down(fusion.up(nodes) + features)
    torch.testing.assert_close(fast, slow)
    probe = torch.randn_like(fast)
    ours, theirs = (torch.autograd.grad(out, inputs, probe) for out in (fast, slow))
    for own, wanted in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, wanted)


def test_the_first_fusion_reads_features_alone() -> None:
    fusion = GraphFusion(4, 9, first=True)
    assert fusion.up is None
    features = torch.randn(2, 5, 9)
    assert torch.equal(fusion(None, features), fusion.down(features))


def test_start_values() -> None:
    torch.manual_seed(0)
    fusion = GraphFusion(64, 512)
    assert fusion.up.weight.std().item() == pytest.approx(math.sqrt(2 / 512), rel=0.05)
    assert fusion.down.weight.std().item() == pytest.approx(math.sqrt(2 / 64), rel=0.05)
    assert not fusion.up.bias.any()
    assert not fusion.down.bias.any()
