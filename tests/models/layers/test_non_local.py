import pytest
import torch
from torch import Tensor

from vidreid.models.layers.non_local import NonLocalBlock


def touched(channels: int) -> NonLocalBlock:
    """A block that has left its start."""
    torch.manual_seed(0)
    block = NonLocalBlock(channels).double()
    torch.nn.init.normal_(block.norm.weight)
    torch.nn.init.normal_(block.norm.bias)
    return block


@torch.no_grad()
def slow(block: NonLocalBlock, feature_map: Tensor) -> Tensor:
    """One cell after the other."""

    def project(convolution, cell: Tensor) -> Tensor:
        return convolution.weight[:, :, 0, 0] @ cell + convolution.bias

    added = torch.empty_like(feature_map)
    for image, target in zip(feature_map, added, strict=True):
        height, width = image.shape[1:]
        keys, values = [], []
        for y in range(0, height - 1, 2):
            for x in range(0, width - 1, 2):
                cells = [image[:, y + dy, x + dx] for dy in (0, 1) for dx in (0, 1)]
                keys.append(torch.stack([project(block.key, cell) for cell in cells]).amax(0))
                values.append(torch.stack([project(block.value, cell) for cell in cells]).amax(0))
        for y in range(height):
            for x in range(width):
                query = project(block.query, image[:, y, x])
                weights = torch.softmax(torch.stack([query @ key for key in keys]), 0)
                mean = sum(weight * value for weight, value in zip(weights, values, strict=True))
                target[:, y, x] = project(block.output, mean)
    centred = added - added.mean((0, 2, 3), keepdim=True)
    scaled = centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
    weight, bias = (part.view(-1, 1, 1) for part in (block.norm.weight, block.norm.bias))
    return feature_map + scaled * weight + bias


@pytest.mark.parametrize("size", [(4, 2), (6, 4), (5, 3)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_against_one_cell_after_the_other(size, layout) -> None:
    block = touched(6)
    feature_map = torch.randn(2, 6, *size, dtype=torch.float64).contiguous(memory_format=layout)
    torch.testing.assert_close(block(feature_map).detach(), slow(block, feature_map))


def test_a_new_block_changes_nothing_and_can_learn() -> None:
    block = NonLocalBlock(8)
    feature_map = torch.randn(3, 8, 4, 4)
    assert torch.equal(block(feature_map), feature_map)
    assert torch.equal(block.eval()(feature_map), feature_map)
    block.train()(feature_map).square().sum().backward()
    assert block.norm.weight.grad.any()
    assert block.norm.bias.grad.any()


def test_images_do_not_see_each_other() -> None:
    block = touched(6).eval()
    feature_map = torch.randn(3, 6, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(block(feature_map)[1:2], block(feature_map[1:2]))
