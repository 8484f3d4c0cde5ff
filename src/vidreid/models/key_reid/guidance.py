"""How keypoints guide the parts of KeyRe-ID: from joints to the weight of every row for every part.

- ``released``: maps in [-1, 1], averaged over the frames, multiply the tokens before the norm of the local
  block, and are not moved along when the rows are shuffled. The norm cancels everything but the sign, so with
  maps of real poses, which are negative almost everywhere, all parts are the same vector.
- ``paper``: maps in [0, 1] (Eqs. 4 and 5), moved with the rows. Multiplied in the same place, they are
  cancelled as well.
- ``fixed``: maps stretched so that the strongest row of a part is 1 enter the attention of the local block
  itself, where no norm takes them away; a part without a visible joint reads all rows and is flagged.
"""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from vidreid.keypoints.part_maps import PatchGrid, joint_sigma, patch_maps, visible_parts
from vidreid.keypoints.released_part_maps import drawn_maps, loaded_maps, patch_means
from vidreid.keypoints.skeleton import SKELETONS
from vidreid.models.layers.clip_tokens import Tokens, clip_maps
from vidreid.models.layers.token_block import Weighing

Guidance = Literal["released", "paper", "fixed"]
Maps = Literal["gaussian", "drawn", "empty"]
"""``gaussian``: the closed form. ``drawn``: the release's older generator and its loader. ``empty``: the
constant -1 that the generator in the release, which draws nothing, ends up as."""


class PartGuidance(nn.Module):
    """Weights of rows for parts.

    Args:
        how: ``released``, ``paper`` or ``fixed``.
        joints: Name of the skeleton.
        grid: The patches of a frame.
        tokens: How the tokens of a clip are flattened.
        order: Which row stands at each place after shuffling, or ``None``.
        maps: By default ``drawn`` for ``released`` and ``gaussian`` for the others.
        spread: Standard deviation of a joint over that of the release (``joint_sigma``).
        weighing: Where the weights enter under ``fixed``: ``keys`` or ``values``, see ``token_block``.
        min_score: Joints with a confidence up to this count as missing.

    Raises:
        ValueError: If there is no such choice, or choices contradict each other.
    """

    order: Tensor | None

    def __init__(
        self,
        how: Guidance,
        joints: str,
        grid: PatchGrid,
        tokens: Tokens,
        order: Tensor | None,
        maps: Maps | None = None,
        spread: float = 1.0,
        weighing: Weighing = "keys",
        min_score: float = 0.1,
    ) -> None:
        super().__init__()
        if how not in get_args(Guidance):
            raise ValueError(f"Unknown part_guidance {how!r}: choose one of {', '.join(get_args(Guidance))}.")
        if joints not in SKELETONS:
            raise ValueError(f"Unknown skeleton {joints!r}: choose one of {', '.join(SKELETONS)}.")
        maps = maps or ("drawn" if how == "released" else "gaussian")
        if maps not in get_args(Maps):
            raise ValueError(f"Unknown maps {maps!r}: choose one of {', '.join(get_args(Maps))}.")
        if how == "fixed" and (maps != "gaussian" or weighing == "tokens"):
            raise ValueError(
                "part_guidance=fixed needs maps=gaussian and weighing keys or values: weights on the tokens "
                "before the norm, and maps in [-1, 1], are what it mends."
            )
        if how == "released" and tokens == "frames":
            raise ValueError(
                "part_guidance=released has one weight a patch for all frames: use tokens=released or "
                "aligned."
            )
        self.how: Guidance = how
        self.tokens: Tokens = tokens
        self.grid, self.maps = grid, maps
        self.parts = SKELETONS[joints].parts
        self.sigma = spread * joint_sigma(grid.width)
        self.min_score = min_score
        self.weighing: Weighing = weighing if how == "fixed" else "tokens"
        self.register_buffer("order", order, persistent=False)

    @torch.no_grad()
    def forward(self, keypoints: Tensor) -> Tensor:
        """Return the weight of every row for every part, ``(B, P, R)`` float32.

        Args:
            keypoints: ``(B, T, K, 3)`` in pixels of the network's input.
        """
        with torch.autocast(keypoints.device.type, enabled=False):
            keypoints = keypoints.float()
            maps = self.frame_maps(keypoints)
            if self.how == "released":
                return maps.mean(1)
            weights = clip_maps(maps, self.tokens, self.order)
            if self.how != "fixed":
                return weights
            strongest = weights.amax(-1, keepdim=True)
            hidden = ~self.visible(keypoints).unsqueeze(-1) | (strongest <= 1e-12)
            return torch.where(hidden, 1.0, weights / strongest.clamp_min(1e-12))

    def frame_maps(self, keypoints: Tensor) -> Tensor:
        """Return the weight of every patch of every frame, ``(B, T, P, N)``; arguments as in ``forward``."""
        if self.maps == "gaussian":
            divisor = "visible" if self.how == "fixed" else "all"
            return patch_maps(
                keypoints, self.parts, self.grid, sigma=self.sigma, min_score=self.min_score, divisor=divisor
            )
        height, width = self.grid.height, self.grid.width
        if self.maps == "empty":
            return keypoints.new_full((*keypoints.shape[:2], len(self.parts), self.grid.patches), -1.0)
        drawn = drawn_maps(keypoints, self.parts, height, width)
        return patch_means(loaded_maps(drawn, height, width), self.grid)

    def visible(self, keypoints: Tensor) -> Tensor:
        """Return which parts have a visible joint in any frame of a clip, ``(B, P)`` bool."""
        return visible_parts(keypoints, self.parts, self.grid, self.min_score).any(1)
