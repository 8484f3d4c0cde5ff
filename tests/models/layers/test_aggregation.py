import sys

import pytest
import torch
from torch import Tensor

from vidreid.keypoints.skeleton import BODY12
from vidreid.models.layers.aggregation import (
    SAFE_RANGE,
    _product_is_safe,
    aggregate_dense,
    aggregate_torch_scatter,
    aggregation,
)
from vidreid.models.layers.neighbours import clip_neighbours


def by_edges(messages: Tensor, t: Tensor, edges: Tensor, detach: bool) -> Tensor:
    """Eq. 6 node by node with explicit loops."""
    result = []
    for clip in messages:
        rows = []
        for node in range(len(clip)):
            sources = [int(a) for a, b in edges.T.tolist() if b == node]
            if not sources:
                rows.append(0 * t * clip[node])
                continue
            own = clip[sources]
            exponents = torch.exp((own.detach() if detach else own) * t)
            rows.append((exponents * own).sum(0) / exponents.sum(0))
        result.append(torch.stack(rows))
    return torch.stack(result)


@pytest.mark.parametrize("backend", ["product", "table", "torch_scatter"])
@pytest.mark.parametrize("kind", ["both", "spatial", "temporal"])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("detach", [False, True])
def test_value_and_gradients_of_both_backends(backend, kind, frames, detach) -> None:
    if backend == "torch_scatter":
        pytest.importorskip("torch_scatter", reason="torch-scatter is not built: make scatter")
    fast = aggregate_torch_scatter if backend == "torch_scatter" else aggregate_dense
    generator = torch.Generator().manual_seed(1)
    neighbours = clip_neighbours(BODY12, frames, kind)
    messages = torch.rand(2, frames * 12, 3, generator=generator, dtype=torch.float64)
    messages = messages.mul_(3).requires_grad_()
    t = torch.tensor([1.7], dtype=torch.float64, requires_grad=True)
    neighbours = neighbours.to(messages)
    if backend == "table":
        neighbours = neighbours._replace(adjacency=None)
    elif backend == "product" and neighbours.connected is None:
        assert neighbours.adjacency is not None
        assert _product_is_safe(messages, t)
    probe = torch.randn(messages.shape, generator=generator, dtype=torch.float64)

    results, gradients = [], []
    for result in (
        fast(messages, t, neighbours, detach),
        by_edges(messages, t, neighbours.edges, detach),
    ):
        results.append(result)
        # Without edges, or with detached weights, nothing depends on t.
        inputs = {"allow_unused": True, "materialize_grads": True}
        gradients.append(torch.autograd.grad(result, (messages, t), probe, **inputs))
    torch.testing.assert_close(*results)
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_product_is_exact_up_to_its_limit_and_not_used_beyond(sign) -> None:
    """In single precision, with the largest allowed spread of scores between neighbours."""
    neighbours = clip_neighbours(BODY12, 2)
    generator = torch.Generator().manual_seed(4)
    messages = torch.rand(3, 24, 2, generator=generator)
    messages[:, ::3] = 0
    messages = (messages / messages.max()).requires_grad_()
    t = torch.tensor([sign * SAFE_RANGE * 0.999], requires_grad=True)
    assert _product_is_safe(messages, t)
    assert not _product_is_safe(messages, t * 1.01)
    probe = torch.randn(messages.shape, generator=generator)
    table = neighbours._replace(adjacency=None)
    results = [aggregate_dense(messages, t, own) for own in (neighbours, table)]
    torch.testing.assert_close(*results, atol=1e-5, rtol=1e-5)
    gradients = [torch.autograd.grad(result, (messages, t), probe) for result in results]
    torch.testing.assert_close(*gradients, atol=2e-4, rtol=1e-4)


def test_reduced_precision_keeps_to_the_table() -> None:
    messages, t = torch.rand(1, 24, 2), torch.ones(1)
    assert not _product_is_safe(messages.bfloat16(), t)
    with torch.autocast("cpu"):
        assert not _product_is_safe(messages, t)


def test_extreme_temperatures_stay_finite() -> None:
    neighbours = clip_neighbours(BODY12, 2)
    messages = torch.linspace(0, 8, 24).view(1, 24, 1).requires_grad_()
    for value in (1e4, -1e4):
        t = torch.tensor([value], requires_grad=True)
        result = aggregate_dense(messages, t, neighbours)
        result.sum().backward()
        assert result.isfinite().all()
        assert t.grad is not None
        assert t.grad.isfinite().all()
        pick = max if value > 0 else min
        for node in range(24):
            own = [messages[0, int(a), 0].item() for a, b in neighbours.edges.T.tolist() if b == node]
            assert result[0, node, 0].item() == pytest.approx(pick(own))


def test_torch_scatter_is_asked_for_by_one_sentence(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_scatter", None)
    with pytest.raises(ModuleNotFoundError, match=r"run `make scatter`, or use aggregation=dense"):
        aggregation("torch_scatter")
    assert aggregation("dense") is aggregate_dense


def test_unknown_name() -> None:
    with pytest.raises(ValueError, match="choose dense or torch_scatter"):
        aggregation("sparse")
