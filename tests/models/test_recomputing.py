"""Computing again gives what keeping gives, and leaves no trace in batch norms."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from support.live_bytes import saved_bytes
from vidreid.models.recomputing import recomputed


def net(momentum: float | None = 0.1) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8, momentum=momentum), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)
    )


def run(module: nn.Module, call: Callable[[nn.Module, Tensor], Tensor], rows: Tensor) -> Tensor:
    """Return the gradient of the rows after one step; the statistics change."""
    torch.manual_seed(1)
    rows = rows.clone().requires_grad_()
    call(module, rows).square().sum().backward()
    after = torch.rand(1)  # random numbers go on as if nothing had been computed twice
    assert rows.grad is not None
    return torch.cat([rows.grad.flatten(), after])


@pytest.mark.parametrize("momentum", [0.1, None])
def test_gradients_and_statistics_are_those_of_one_pass(momentum: float | None) -> None:
    one, other = net(momentum), net(momentum)
    for _ in range(3):
        rows = torch.randn(5, 6)
        kept = run(one, lambda module, rows: module(rows), rows)
        again = run(other, lambda module, rows: recomputed(module, rows), rows)
        assert torch.equal(kept, again)
    for (name, value), expected in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(value.grad, expected.grad), name
    for (name, value), expected in zip(one.named_buffers(), other.buffers(), strict=True):
        assert torch.equal(value, expected), name
    assert one[1].num_batches_tracked == 3


def test_pieces_inside_pieces() -> None:
    one = nn.Sequential(net(), nn.Linear(3, 6), net())
    other = copy.deepcopy(one)

    def nested(module: nn.Module, rows: Tensor) -> Tensor:
        def inner(rows: Tensor) -> Tensor:
            for child in module.children():
                rows = recomputed(child, rows)
            return rows

        return recomputed(inner, rows, inside=[module])

    rows = torch.randn(5, 6)
    assert torch.equal(run(one, lambda module, rows: module(rows), rows), run(other, nested, rows))
    for (name, value), expected in zip(one.named_buffers(), other.buffers(), strict=True):
        assert torch.equal(value, expected), name


def test_an_infinite_activation_leaves_the_statistics_of_one_pass() -> None:
    """They are put back: a share of 0 of another infinity would make them no numbers."""
    norm = nn.BatchNorm1d(2)
    rows = torch.tensor([[1.0, torch.inf], [3.0, 1.0]], requires_grad=True)
    recomputed(norm, rows).sum().backward()
    assert norm.running_mean is not None
    assert norm.running_mean.tolist() == [pytest.approx(0.2), torch.inf]


def test_only_the_inputs_are_kept() -> None:
    layers = nn.Sequential(*(nn.Sequential(nn.Linear(8, 64), nn.GELU(), nn.Linear(64, 8)) for _ in range(4)))
    rows = torch.randn(16, 8, requires_grad=True)
    with saved_bytes() as plain:
        layers(rows)
    with saved_bytes() as again:
        hidden = rows
        for layer in layers.children():
            hidden = recomputed(layer, hidden)
    assert sum(plain) > 4 * 2 * 16 * 64 * 4
    assert again == [16 * 8 * 4] * 4


def test_a_norm_in_evaluation_mode_and_a_pass_without_gradients() -> None:
    module = net().eval()
    rows = torch.randn(5, 6)
    with torch.no_grad():
        expected = module(rows)
        assert torch.equal(recomputed(module, rows), expected)
    torch.testing.assert_close(recomputed(module, rows), expected)
    assert module[1].num_batches_tracked == 0
