"""The graph branch against the same network built from torch-geometric and torchvision's RoIAlign."""

from pathlib import Path
from types import ModuleType

import pytest
import torch

from support.benchmarks import load_benchmark

CHANNELS, SIZE = (4, 8, 12, 16, 24), (64, 32)


@pytest.fixture(scope="module")
def stack(repo_root: Path) -> ModuleType:
    return load_benchmark(repo_root, "reference_stack")


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_released_stack_gives_the_same_logits_and_gradients(stack: ModuleType, missing: float) -> None:
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(1)
    ours, reference = stack.pair(7, CHANNELS, SIZE)
    maps = stack.random_maps(8, CHANNELS, SIZE, generator)
    keypoints = stack.random_keypoints(2, 4, SIZE, missing, generator)
    differences = stack.largest_differences(ours, reference, maps, keypoints)
    assert set(differences) == {"logits", "map_gradients", "weight_gradients"}
    assert max(differences.values()) < 1e-6


def test_a_change_of_one_weight_shows(stack: ModuleType) -> None:
    """The comparison itself can fail: of a late layer and of an early fusion."""
    for name in ("layers.20.convolution.mlp.0.weight", "up.0.bias"):
        generator = torch.Generator().manual_seed(1)
        torch.manual_seed(1)
        ours, reference = stack.pair(7, CHANNELS, SIZE)
        with torch.no_grad():
            reference.get_parameter(name).mul_(1.05).add_(0.05)
        maps = stack.random_maps(8, CHANNELS, SIZE, generator)
        keypoints = stack.random_keypoints(2, 4, SIZE, 0.1, generator)
        assert max(stack.largest_differences(ours, reference, maps, keypoints).values()) > 1e-4


def test_the_edges_are_those_of_the_facts(stack: ModuleType) -> None:
    edges = stack.clip_edges(2, 8)
    assert edges.shape == (2, 2 * 344)
    assert int(edges.max()) == 2 * 8 * 12 - 1
    # Nothing leads from one clip to the other.
    assert bool((edges[0] // 96 == edges[1] // 96).all())
