"""Features of a map at keypoints: the closed form of the released KMPNet's RoIAlign.

The released code crops a box of one input pixel at each joint with ``RoIAlign(1, aligned=False)``, which
takes exactly one bilinear sample, at cell ``(x * scale + 0.5, y * scale + 0.5)``. A missing joint gets the
box of the whole image: the mean of the samples at ``i + 0.5``, a mean whose first cells weigh 0.5 and whose
last weigh 1.5.

Both are separable, so the weights of all cells are an outer product of one vector an axis, and sampling is
one matrix product with the map. On CPUs this is as fast as ``grid_sample``, forward and backward, and faster
than a gather of four neighbours, whose gradient is scattered into a zeroed map; and it needs no second path
for missing joints.
"""

from typing import Literal

import torch
from torch import Tensor

Border = Literal["clamp", "zero"]


def sampling_weights(
    keypoints: Tensor,
    size: tuple[int, int],
    scale: float,
    border: Border = "clamp",
    offset: float = 0.5,
    min_score: float = 0.0,
) -> Tensor:
    """Return the weight of every cell of a map in the feature of every joint.

    Args:
        keypoints: ``(N, K, 3)``, x and y in pixels of the network input, confidence.
        size: Height and width of the map in cells.
        scale: Size of the map divided by the size of the input.
        border: Outside the image ``clamp`` takes the nearest cell. ``zero`` is the compiled RoIAlign, which
            gives zeros where a sample lies more than a cell before the first or beyond the end of the map.
        offset: Added to the scaled coordinates, in cells; 0.5 in the released code, 0 samples at the centre
            of a cell's receptive field.
        min_score: Joints with a confidence up to this count as missing and take the mean over the map.

    Returns:
        ``(N, K, H * W)``. Each row sums to 1, or is 0 outside with ``border="zero"``.
    """
    keypoints = keypoints.detach()
    axes = []
    for coordinate, cells in ((keypoints[..., 1], size[0]), (keypoints[..., 0], size[1])):
        cell = torch.arange(cells, device=keypoints.device, dtype=keypoints.dtype)
        at = coordinate * scale + offset
        weights = _hat(at, cell)
        if border == "zero":
            weights = weights * ((at >= -1) & (at <= cells)).unsqueeze(-1)
        whole = _hat(cell + offset, cell).mean(0)
        missing = keypoints[..., 2:] <= min_score
        axes.append(torch.where(missing, whole, weights))
    rows, columns = axes
    return (rows.unsqueeze(-1) * columns.unsqueeze(-2)).flatten(2)


def sample_keypoints(feature_map: Tensor, weights: Tensor) -> Tensor:
    """Return the feature of every joint, ``(N, K, C)``.

    Args:
        feature_map: ``(N, C, H, W)``.
        weights: ``(N, K, H * W)`` of ``sampling_weights``.
    """
    # In this order the gradient of the map comes out in the layout of the map.
    return torch.bmm(feature_map.flatten(2), weights.to(feature_map.dtype).transpose(1, 2)).transpose(1, 2)


def _hat(at: Tensor, cell: Tensor) -> Tensor:
    """Return the weights ``(..., cells)`` of linear interpolation at the clamped positions ``at``."""
    at = at.clamp(0, len(cell) - 1)
    return (1 - (at.unsqueeze(-1) - cell).abs()).clamp_min(0)
