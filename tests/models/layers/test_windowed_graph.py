import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vidreid.models.layers.windowed_graph import WindowedGraphLayer, nearest_nodes


def released_mean(nodes: Tensor, frames: int, window: int, neighbours: int) -> Tensor:
    """One node after the other: the most similar of the window, the first of them dropped."""
    stripes = nodes.shape[1] // frames
    means = torch.empty_like(nodes)
    for b, clip in enumerate(nodes):
        for i, node in enumerate(clip):
            frame = i // stripes
            first, last = max(0, frame - window), min(frames - 1, frame + window)
            near = clip[first * stripes : (last + 1) * stripes]
            similar = [(node @ other / (node.norm() * other.norm())).item() for other in near]
            best = sorted(range(len(near)), key=lambda j: similar[j], reverse=True)[:neighbours]
            means[b, i] = near[best[1:]].mean(0)
    return means


def random_nodes(clips: int, frames: int, stripes: int, width: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(frames * stripes)
    return torch.randn(clips, frames * stripes, width, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize(("frames", "stripes"), [(8, 4), (8, 2), (3, 8), (2, 2), (1, 4), (1, 2)])
@pytest.mark.parametrize("window", [0, 1, 3])
def test_against_one_node_after_the_other(frames, stripes, window) -> None:
    nodes = random_nodes(3, frames, stripes)
    layer = WindowedGraphLayer(6, 10, window).double()
    actual = layer(nodes, frames)

    mean = released_mean(nodes, frames, window, 3)
    joined = torch.cat([layer.own(nodes), layer.other(mean)], 2)
    joined = (joined / joined.norm(dim=2, keepdim=True)).clamp_min(0)
    centred = joined - joined.mean((0, 1))
    scaled = centred / (centred.square().mean((0, 1)) + 1e-5).sqrt()
    torch.testing.assert_close(actual, scaled)


@pytest.mark.parametrize("neighbours", [2, 4])
def test_other_numbers_of_neighbours(neighbours) -> None:
    nodes = random_nodes(2, 5, 3)
    weights = nearest_nodes(nodes, 5, 1, neighbours - 1)
    torch.testing.assert_close(weights @ nodes, released_mean(nodes, 5, 1, neighbours))
    assert not weights.diagonal(dim1=1, dim2=2).any()


@pytest.mark.parametrize("frames", [2, 3, 5])
def test_repeated_frames_of_a_padded_clip(frames) -> None:
    """A short tracklet comes round again: a node ties with its repetitions, and either may be dropped."""
    nodes = random_nodes(2, 8, 4).unflatten(1, (8, 4))
    nodes = nodes[:, torch.arange(8) % frames].flatten(1, 2)
    weights = nearest_nodes(nodes, 8, 3, 2)
    torch.testing.assert_close(weights @ nodes, released_mean(nodes, 8, 3, 3))


def test_frames_outside_the_window_have_no_part() -> None:
    layer = WindowedGraphLayer(6, 10).eval()
    nodes = random_nodes(1, 8, 2).float()
    other = nodes.clone()
    other[:, 8:] = torch.randn(8, 6)
    first, second = layer(nodes, 8), layer(other, 8)
    # Frame 0 sees up to frame 3, frame 1 up to frame 4, which differs.
    assert torch.equal(first[:, :2], second[:, :2])
    assert not torch.equal(first[:, 8:], second[:, 8:])


def test_the_choice_is_that_of_single_precision_under_autocast() -> None:
    generator = torch.Generator().manual_seed(0)
    nodes = 10 + torch.rand(2, 32, 256, generator=generator)
    expected = nearest_nodes(nodes, 8, 3, 2)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(nearest_nodes(nodes, 8, 3, 2), expected)
    # The cosines lie so close together that half the digits would choose others.
    assert not torch.equal(nearest_nodes(nodes.bfloat16(), 8, 3, 2).float(), expected)


def test_gradients_reach_nodes_and_neighbours() -> None:
    nodes = random_nodes(2, 4, 2).requires_grad_()
    layer = WindowedGraphLayer(6, 4).double()
    assert torch.autograd.gradcheck(lambda x: layer(x, 4), nodes)


def test_start_values() -> None:
    torch.manual_seed(0)
    layer = WindowedGraphLayer(300, 200)
    bound = math.sqrt(2) * math.sqrt(6 / (300 + 100))
    for linear in (layer.own, layer.other):
        assert 0.99 * bound < linear.weight.abs().max().item() <= bound
        assert linear.bias is not None


def test_refusals() -> None:
    with pytest.raises(ValueError, match="must be even"):
        WindowedGraphLayer(4, 5)
    with pytest.raises(ValueError, match="at least 2 nodes"):
        WindowedGraphLayer(4, 4, neighbours=1)
    with pytest.raises(ValueError, match="1 frames and 1 nodes leave a node without neighbours"):
        WindowedGraphLayer(4, 4)(torch.randn(2, 1, 4), 1)


def test_zero_nodes_stay_finite() -> None:
    nodes = torch.zeros(2, 8, 4, requires_grad=True)
    result = WindowedGraphLayer(4, 4)(F.relu(nodes), 4)
    result.sum().backward()
    assert result.isfinite().all()
    assert nodes.grad.isfinite().all()
