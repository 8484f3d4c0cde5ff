"""Fusion of node states with visual features of the next stage, Eq. 1 of KMPNet."""

import torch.nn.functional as F
from torch import Tensor, nn


class GraphFusion(nn.Module):
    """``x <- Down(Up(x) + feature)``; the first fusion has no Up and starts from the features alone.

    Nothing stands between the two linear layers, so ``Down(Up(x))`` is computed as one layer whose weight is
    their
    product: the wide state of ``C`` channels a node is never made.

    Args:
        width: Width of the node states.
        channels: ``C`` of the visual features.
        first: Whether this fusion starts the graph.
    """

    def __init__(self, width: int, channels: int, first: bool = False) -> None:
        super().__init__()
        self.up = None if first else nn.Linear(width, channels)
        self.down = nn.Linear(channels, width)
        for linear in (self.up, self.down):
            if linear is not None:
                nn.init.kaiming_normal_(linear.weight, mode="fan_out")
                nn.init.zeros_(linear.bias)

    def forward(self, nodes: Tensor | None, features: Tensor) -> Tensor:
        """Return the fused states ``(B, M, width)``.

        Args:
            nodes: States ``(B, M, width)``; ``None`` for the first fusion.
            features: ``(B, M, C)``.
        """
        below = self.down(features)
        if self.up is None or nodes is None:
            return below
        weight = self.down.weight @ self.up.weight
        return below + F.linear(nodes, weight, self.down.weight @ self.up.bias)
