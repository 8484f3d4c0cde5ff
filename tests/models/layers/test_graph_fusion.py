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


def test_balanced_stages_are_heard_alike() -> None:
    """Five fusions, as beside the small trunk: what share of the final state comes from each stage.

    With the released start the first stage outweighs the last; the balanced start keeps them within a factor.
    """

    def shares(balance: str) -> list[float]:
        torch.manual_seed(0)
        channels = (32, 32, 64, 128, 256)
        fusions = [GraphFusion(64, c, first=i == 0, balance=balance) for i, c in enumerate(channels)]
        features = [torch.rand(1, 200, c) - 0.5 for c in channels]
        powers = []
        for heard in range(5):
            nodes = None
            for i, fusion in enumerate(fusions):
                nodes = fusion(nodes, features[i] if i == heard else torch.zeros_like(features[i]))
            powers.append(nodes.var().item())
        return powers

    released, balanced = shares("released"), shares("stages")
    assert released[0] > 20 * released[4]
    assert max(balanced) < 3 * min(balanced)


def test_an_unknown_balance_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown balance 'even': choose released or stages"):
        GraphFusion(4, 9, balance="even")
