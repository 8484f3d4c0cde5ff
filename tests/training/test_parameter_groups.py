import pytest
import torch
from torch import nn

from vidreid.training.parameter_groups import centers_sgd, sgd_with_bias_rate


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2, bias=False))


def test_biases_have_a_rate_of_their_own() -> None:
    optimizer = sgd_with_bias_rate(network().named_parameters())
    names = [group["param_names"] for group in optimizer.param_groups]
    assert names == [["0.weight", "1.weight", "2.weight"], ["0.bias", "1.bias"]]
    assert [group["lr"] for group in optimizer.param_groups] == [0.008, 0.016]
    for group in optimizer.param_groups:
        assert (group["momentum"], group["weight_decay"], group["nesterov"]) == (0.9, 1e-4, False)


def test_two_groups_step_as_one_a_tensor() -> None:
    one, other = network(), network()
    mine = sgd_with_bias_rate(one.named_parameters(), 0.1, 0.3)
    theirs = torch.optim.SGD(
        [{"params": [p], "lr": 0.3 if "bias" in name else 0.1} for name, p in other.named_parameters()],
        momentum=0.9,
        weight_decay=1e-4,
    )
    for step in range(3):
        for module, optimizer in ((one, mine), (other, theirs)):
            optimizer.zero_grad()
            torch.manual_seed(step)
            module(torch.randn(5, 3)).square().sum().backward()
            optimizer.step()
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_without_biases_there_is_one_group() -> None:
    optimizer = sgd_with_bias_rate([("weight", nn.Parameter(torch.zeros(2)))])
    assert [group["lr"] for group in optimizer.param_groups] == [0.008]


def test_the_rate_of_centres_does_not_hang_on_the_weight_of_their_loss() -> None:
    for weight in (0.0005, 2.0):
        centers = nn.Parameter(torch.tensor([1.0, 3.0]))
        optimizer = centers_sgd([("centers", centers)], lr=0.5, loss_weight=weight)
        (weight * centers.square().sum()).backward()
        optimizer.step()
        torch.testing.assert_close(centers.detach(), torch.zeros(2))


def test_centres_of_a_loss_without_weight_are_refused() -> None:
    with pytest.raises(ValueError, match=r"of weight 0\.0: .* ~loss_optimizer"):
        centers_sgd([("centers", nn.Parameter(torch.zeros(1)))], loss_weight=0.0)
