import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vidreid.keypoints.skeleton import BODY12
from vidreid.models.layers.generalized_convolution import GeneralizedConvolution, ResidualGraphLayer
from vidreid.models.layers.neighbours import clip_neighbours

NEIGHBOURS = clip_neighbours(BODY12, 2)


def by_edges(layer: GeneralizedConvolution, nodes: Tensor) -> Tensor:
    """Eq. 5 to 7 for one clip ``(M, C)``, node by node and edge by edge."""
    scale = 1 / layer.t if layer.temperature == "divides" else layer.t
    first, norm, _, second = layer.mlp
    rows = []
    for node in range(len(nodes)):
        messages = [torch.relu(nodes[a]) + 1e-7 for a, b in NEIGHBOURS.edges.T.tolist() if b == node]
        total = sum(torch.exp(scale * m) for m in messages)
        aggregate = sum(torch.exp(scale * m) / total * m for m in messages)
        hidden = first.weight @ (nodes[node] + aggregate) + first.bias
        hidden = (hidden - hidden.mean()) / torch.sqrt(hidden.var(unbiased=False) + 1e-5)
        hidden = torch.relu(hidden * norm.weight + norm.bias)
        rows.append(second.weight @ hidden + second.bias)
    return torch.stack(rows)


def layer_of(width: int, **options) -> GeneralizedConvolution:
    torch.manual_seed(2)
    layer = GeneralizedConvolution(width, **options).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return layer


@pytest.mark.parametrize("temperature", ["inverse", "divides"])
def test_convolution_and_its_gradients(temperature) -> None:
    layer = layer_of(4, temperature=temperature)
    nodes = torch.randn(2, 24, 4, dtype=torch.float64)
    fast = layer(nodes, NEIGHBOURS.to(nodes))
    slow = torch.stack([by_edges(layer, clip) for clip in nodes])
    torch.testing.assert_close(fast, slow)
    probe = torch.randn_like(fast)
    ours, theirs = (torch.autograd.grad(out, list(layer.parameters()), probe) for out in (fast, slow))
    for own, wanted in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, wanted)


def test_a_fixed_temperature_is_not_learned_and_its_weights_get_no_gradient() -> None:
    layer = layer_of(4, temperature="fixed")
    assert not layer.t.requires_grad
    nodes = torch.randn(1, 24, 4, dtype=torch.float64, requires_grad=True)
    messages = F.relu(nodes) + 1e-7
    gathered = messages[:, NEIGHBOURS.table]
    weights = torch.softmax(gathered.detach() * layer.t + NEIGHBOURS.penalty, 2)
    expected = layer.mlp(nodes + (weights * gathered).sum(2))
    probe = torch.randn_like(expected)
    ours, theirs = (
        torch.autograd.grad(out, nodes, probe)[0] for out in (layer(nodes, NEIGHBOURS.to(nodes)), expected)
    )
    torch.testing.assert_close(ours, theirs)
    free = layer_of(4)
    assert not torch.allclose(torch.autograd.grad(free(nodes, NEIGHBOURS.to(nodes)), nodes, probe)[0], ours)


def test_residual_layer() -> None:
    torch.manual_seed(0)
    layer = ResidualGraphLayer(4, dropout=0.5).eval()
    nodes = torch.randn(1, 24, 4)
    inner = torch.relu(F.layer_norm(nodes, (4,)))
    torch.testing.assert_close(
        layer(nodes, NEIGHBOURS.to(nodes)), nodes + layer.convolution(inner, NEIGHBOURS)
    )
    layer.train()
    assert not torch.equal(layer(nodes, NEIGHBOURS.to(nodes)), layer(nodes, NEIGHBOURS.to(nodes)))


def test_parameters_of_the_paper() -> None:
    """The released layer has 16,961 with its inverse temperature; the pre-activation norm has 128 more."""
    convolution = GeneralizedConvolution(64)
    assert convolution.t.item() == 1
    layer = ResidualGraphLayer(64)
    assert sum(parameter.numel() for parameter in layer.parameters()) == 16_961


@pytest.mark.parametrize("clips", [1, 3])
def test_clips_do_not_mix(clips) -> None:
    layer = ResidualGraphLayer(4).eval()
    nodes = torch.randn(clips, 24, 4)
    together = layer(nodes, NEIGHBOURS.to(nodes))
    for i in range(clips):
        torch.testing.assert_close(layer(nodes[i : i + 1], NEIGHBOURS)[0], together[i])


def test_an_unknown_temperature_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown temperature 'tau': choose inverse, divides or fixed"):
        GeneralizedConvolution(temperature="tau")
