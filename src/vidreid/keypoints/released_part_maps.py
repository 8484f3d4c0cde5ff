"""The part maps of the released KeyRe-ID, for parity: its older generator, and what its loader makes of maps.

The generator that the release ends with writes zeros only (its kernel is one row and one column shorter than
the window it is pasted into, and a check of shapes then skips it); the one before it works and is the one
here. Both draw pixels: for weights of patches ``vidreid.keypoints.part_maps`` is what to use.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from vidreid.keypoints.part_maps import PatchGrid, joint_radius, joint_sigma

_MIN_SCORE = 0.1


def drawn_maps(keypoints: Tensor, parts: Mapping[str, Sequence[int]], height: int, width: int) -> Tensor:
    """Return the maps of the older generator, ``(..., P, H, W)``.

    Every joint surer than 0.1 pastes a square window of a Gaussian that sums to 1 around its coordinates, cut
    to whole pixels towards zero; a part's map is the sum of its windows over the number of windows that cover
    a pixel.

    Args:
        keypoints: ``(..., K, 3)`` in pixels of the ``(H, W)`` frame.
        parts: Joints of every part.
        height: ``H``.
        width: ``W``.
    """
    radius = joint_radius(width)
    kernel = torch.arange(-radius, radius + 1, device=keypoints.device, dtype=keypoints.dtype)
    kernel = torch.exp(-(kernel**2) / (2 * joint_sigma(width) ** 2))
    kernel = kernel / kernel.sum()
    seen = (keypoints[..., 2] > _MIN_SCORE).to(keypoints.dtype)
    across, across_window = _paste(keypoints[..., 0], width, kernel)
    down, down_window = _paste(keypoints[..., 1], height, kernel)
    down, down_window = down * seen.unsqueeze(-1), down_window * seen.unsqueeze(-1)
    maps = []
    for joints in parts.values():
        index = torch.tensor(list(joints), device=keypoints.device)
        pick = [t.index_select(-2, index) for t in (down, across, down_window, across_window)]
        total = pick[0].transpose(-1, -2) @ pick[1]
        count = pick[2].transpose(-1, -2) @ pick[3]
        maps.append(total / count.clamp_min(1))
    return torch.stack(maps, dim=-3)


def loaded_maps(maps: Tensor, height: int, width: int) -> Tensor:
    """Return what the release's loader hands the network, ``(..., P, H, W)`` in [-1, 1].

    Resized bilinearly, stretched so that each part's smallest value is 0 and its largest 1, then shifted so
    that the background is -1. A part without any joint becomes the constant -1.

    Args:
        maps: ``(..., P, h, w)``.
        height: ``H`` of the network.
        width: ``W`` of the network.
    """
    planes = maps.flatten(0, -3).unsqueeze(1)
    if maps.shape[-2:] != (height, width):
        planes = F.interpolate(planes, (height, width), mode="bilinear", align_corners=False)
    planes = planes.reshape(*maps.shape[:-2], height, width)
    low, high = planes.amin((-2, -1), keepdim=True), planes.amax((-2, -1), keepdim=True)
    return ((planes - low) / (high - low + 1e-6) - 0.5) / 0.5


def patch_means(maps: Tensor, grid: PatchGrid) -> Tensor:
    """Return the mean of maps ``(..., P, H, W)`` over every patch, ``(..., P, N)`` in raster order."""
    planes = maps.flatten(0, -3).unsqueeze(1)
    return F.avg_pool2d(planes, grid.patch, grid.stride).reshape(*maps.shape[:-2], -1)


def _paste(at: Tensor, pixels: int, kernel: Tensor) -> tuple[Tensor, Tensor]:
    """Return a kernel around whole-pixel places, ``(..., K, pixels)``, and where its window lies (0 or 1)."""
    radius = len(kernel) // 2
    place = torch.arange(pixels, device=at.device) - at.trunc().long().unsqueeze(-1) + radius
    inside = (place >= 0) & (place < len(kernel))
    return kernel[place.clamp(0, len(kernel) - 1)] * inside, inside.to(at.dtype)
