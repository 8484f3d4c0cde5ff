import math

import pytest
import torch
from torch import Tensor

from vidreid.models.layers.keypoint_sampling import sample_keypoints, sampling_weights


def bilinear(feature_map: Tensor, x: float, y: float) -> Tensor:
    """The value of a map ``(C, H, W)`` at clamped cell coordinates, from its four neighbours."""
    height, width = feature_map.shape[1:]
    x, y = min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)
    left, top = math.floor(x), math.floor(y)
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    fx, fy = x - left, y - top
    return (
        feature_map[:, top, left] * (1 - fx) * (1 - fy)
        + feature_map[:, top, right] * fx * (1 - fy)
        + feature_map[:, bottom, left] * (1 - fx) * fy
        + feature_map[:, bottom, right] * fx * fy
    )


def slow(feature_map, keypoints, scale, border, offset, min_score) -> Tensor:
    """Joint by joint, as the released code's box of one pixel."""
    height, width = feature_map.shape[2:]
    rows = []
    for image, joints in zip(feature_map, keypoints, strict=True):
        for x, y, score in joints.tolist():
            if score <= min_score:
                samples = [
                    bilinear(image, column + offset, row + offset)
                    for row in range(height)
                    for column in range(width)
                ]
                rows.append(torch.stack(samples).mean(0))
                continue
            at_x, at_y = x * scale + offset, y * scale + offset
            outside = at_x < -1 or at_y < -1 or at_x > width or at_y > height
            if border == "zero" and outside:
                rows.append(torch.zeros_like(image[:, 0, 0]))
            else:
                rows.append(bilinear(image, at_x, at_y))
    return torch.stack(rows).view(len(feature_map), keypoints.shape[1], -1)


@pytest.mark.parametrize("border", ["clamp", "zero"])
@pytest.mark.parametrize(("offset", "min_score"), [(0.5, 0.0), (0.0, 0.3)])
def test_equal_to_one_bilinear_sample_a_joint(border, offset, min_score) -> None:
    """Value and gradient, with joints inside, outside, on the borders, missing and of low score."""
    generator = torch.Generator().manual_seed(3)
    feature_map = torch.randn(2, 3, 6, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    places = torch.rand(2, 15, 2, generator=generator) * torch.tensor([96.0, 144.0]) - 24
    places[0, :4] = torch.tensor([[0.0, 0.0], [32.0, 48.0], [-12.0, 3.0], [28.0, 44.0]])
    scores = torch.tensor([0.0, 0.2, 1.0]).repeat(2, 5).unsqueeze(-1)
    keypoints = torch.cat([places, scores], -1).double()

    weights = sampling_weights(keypoints, (6, 4), 1 / 8, border, offset, min_score)
    fast = sample_keypoints(feature_map, weights)
    expected = slow(feature_map, keypoints, 1 / 8, border, offset, min_score)
    torch.testing.assert_close(fast, expected)
    assert bool((expected == 0).all(-1).any()) == (border == "zero")

    probe = torch.randn(fast.shape, generator=generator, dtype=torch.float64)
    ours, theirs = (torch.autograd.grad(out, feature_map, probe)[0] for out in (fast, expected))
    torch.testing.assert_close(ours, theirs)


def test_the_missing_mean_is_the_one_of_the_released_code() -> None:
    """Weights 0.5, 1, ..., 1, 1.5 an axis, divided by the size."""
    missing = torch.tensor([[[17.0, 31.0, 0.0]]])
    rows = torch.tensor([0.5, 1, 1, 1, 1, 1.5]) / 6
    columns = torch.tensor([0.5, 1, 1.5]) / 3
    expected = rows[:, None] * columns
    torch.testing.assert_close(sampling_weights(missing, (6, 3), 1 / 8).view(6, 3), expected)


def test_without_offset_a_missing_joint_gets_the_plain_mean() -> None:
    missing = torch.zeros(1, 1, 3)
    weights = sampling_weights(missing, (4, 2), 1 / 8, offset=0.0)
    torch.testing.assert_close(weights, torch.full((1, 1, 8), 1 / 8))


def test_unknown_coordinates_of_a_missing_joint_do_no_harm() -> None:
    broken = torch.tensor([[[torch.nan, torch.inf, 0.0]]])
    assert torch.equal(
        sampling_weights(broken, (6, 4), 1 / 8), sampling_weights(torch.zeros(1, 1, 3), (6, 4), 1 / 8)
    )


def test_keypoints_get_no_gradient() -> None:
    keypoints = torch.rand(1, 2, 3, requires_grad=True)
    assert not sampling_weights(keypoints, (4, 4), 1 / 4).requires_grad
