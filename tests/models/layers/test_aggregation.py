import sys

import pytest
import torch
from torch import Tensor

from vidreid.keypoints.skeleton import BODY12
from vidreid.models.layers.aggregation import aggregate_dense, aggregate_torch_scatter, aggregation
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


@pytest.mark.parametrize("backend", ["dense", "torch_scatter"])
@pytest.mark.parametrize("kind", ["both", "spatial", "temporal"])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("detach", [False, True])
def test_value_and_gradients_of_both_backends(backend, kind, frames, detach) -> None:
    if backend == "torch_scatter":
        pytest.importorskip("torch_scatter", reason="torch-scatter is not built: make scatter")
    fast = {"dense": aggregate_dense, "torch_scatter": aggregate_torch_scatter}[backend]
    generator = torch.Generator().manual_seed(1)
    neighbours = clip_neighbours(BODY12, frames, kind)
    messages = torch.rand(2, frames * 12, 3, generator=generator, dtype=torch.float64)
    messages = messages.mul_(3).requires_grad_()
    t = torch.tensor([1.7], dtype=torch.float64, requires_grad=True)
    neighbours = neighbours.to(messages)
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
