"""Where body parts are, as weights of the patches of a transformer (KeyRe-ID, Eqs. 4 and 5).

A joint's map is a Gaussian, ``exp(-((x - x_j)^2 + (y - y_j)^2) / (2 s^2))``, and a part's map the mean over
its joints. Both axes separate, so the mean over the pixels of every patch is an outer product of one profile
an axis: no map of pixels is ever drawn or stored (six maps of MARS's 1.19 million frames would take 1.9 TB).
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Divisor = Literal["all", "visible"]


class PatchGrid(NamedTuple):
    """How a frame is cut into patches.

    Attributes:
        height: Rows of pixels of the frame.
        width: Columns of pixels.
        patch: Side of a patch in pixels.
        stride: Pixels from one patch to the next; below ``patch`` they overlap.
    """

    height: int
    width: int
    patch: int = 16
    stride: int = 16

    @property
    def rows(self) -> int:
        """Rows of patches."""
        return (self.height - self.patch) // self.stride + 1

    @property
    def columns(self) -> int:
        """Columns of patches."""
        return (self.width - self.patch) // self.stride + 1

    @property
    def patches(self) -> int:
        """Patches of a frame, ``N``."""
        return self.rows * self.columns


def joint_radius(width: int) -> int:
    """Return the radius of a joint in pixels for frames of this width: ``floor(W / 11)``, as released."""
    return width // 11


def joint_sigma(width: int) -> float:
    """Return the standard deviation of a joint's Gaussian in pixels: a quarter of its window, as released."""
    return (2 * joint_radius(width) + 1) / 4


def patch_maps(
    keypoints: Tensor,
    parts: Mapping[str, Sequence[int]],
    grid: PatchGrid,
    *,
    sigma: float | None = None,
    min_score: float = 0.1,
    divisor: Divisor = "all",
) -> Tensor:
    """Return the mean of every part's map over every patch.

    Args:
        keypoints: ``(..., K, 3)``, x and y in pixels of the frame (pixel centres at integers), confidence.
        parts: Joints of every part.
        grid: The patches.
        sigma: Standard deviation of a joint in pixels; by default ``joint_sigma`` of the width.
        min_score: Joints with a confidence up to this count as missing: their map is zero.
        divisor: ``all`` joints of a part, as in Eq. 5, or only the ``visible`` ones, so that a hidden wrist
            does not make the elbow faint.

    Returns:
        ``(..., P, N)`` in [0, 1], patches in raster order, in the keypoints' precision.
    """
    sigma = joint_sigma(grid.width) if sigma is None else sigma
    seen = (keypoints[..., 2] > min_score).to(keypoints.dtype)
    down = _profile(keypoints[..., 1], grid.height, grid, sigma) * seen.unsqueeze(-1)
    across = _profile(keypoints[..., 0], grid.width, grid, sigma)
    maps = []
    for joints in parts.values():
        index = torch.tensor(list(joints), device=keypoints.device)
        rows, columns = down.index_select(-2, index), across.index_select(-2, index)
        count = seen.index_select(-1, index).sum(-1).clamp_min(1) if divisor == "visible" else len(joints)
        maps.append((rows.transpose(-1, -2) @ columns).flatten(-2) / torch.as_tensor(count)[..., None])
    return torch.stack(maps, dim=-2)


def visible_parts(
    keypoints: Tensor, parts: Mapping[str, Sequence[int]], grid: PatchGrid, min_score: float = 0.1
) -> Tensor:
    """Return which parts have a joint inside the frame that is surer than ``min_score``, ``(..., P)`` bool.

    Args:
        keypoints: ``(..., K, 3)``, as for ``patch_maps``.
        parts: Joints of every part.
        grid: The frame.
        min_score: Joints with a confidence up to this count as missing.
    """
    x, y, score = keypoints.unbind(-1)
    inside = (x >= -0.5) & (x <= grid.width - 0.5) & (y >= -0.5) & (y <= grid.height - 0.5)
    seen = inside & (score > min_score)
    return torch.stack([seen[..., list(joints)].any(-1) for joints in parts.values()], dim=-1)


def _profile(at: Tensor, pixels: int, grid: PatchGrid, sigma: float) -> Tensor:
    """Return the mean of a one-dimensional Gaussian over every patch, ``(..., K, patches of the axis)``."""
    pixel = torch.arange(pixels, device=at.device, dtype=at.dtype)
    values = torch.exp(-((pixel - at.unsqueeze(-1)) ** 2) / (2 * sigma**2))
    return F.avg_pool1d(values.flatten(0, -2).unsqueeze(1), grid.patch, grid.stride).reshape(*at.shape, -1)
