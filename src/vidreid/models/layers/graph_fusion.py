"""Fusion of node states with visual features of the next stage, Eq. 1 of KMPNet."""

from typing import Literal, get_args

import torch.nn.functional as F
from torch import Tensor, nn

Balance = Literal["released", "stages"]


class GraphFusion(nn.Module):
    """``x <- Down(Up(x) + feature)``; the first fusion has no Up and starts from the features alone.

    Nothing stands between the two linear layers, so ``Down(Up(x))`` is computed as one layer whose weight is
    their product: the wide state of ``C`` channels a node is never made.

    With the released start (Kaiming, fan-out) every fusion doubles the old state: at the end features of
    the first stage outweigh those of the last (64 to 1 in power beside the small trunk of the synthetic
    experiments), and next to no gradient reaches the later stages. ``balance="stages"`` is this library's
    correction: the features are brought to unit variance a node, and both layers start so that they keep the
    variance.

    Args:
        width: Width of the node states.
        channels: ``C`` of the visual features.
        first: Whether this fusion starts the graph.
        balance: ``released`` or ``stages``.

    Raises:
        ValueError: For an unknown balance.
    """

    def __init__(self, width: int, channels: int, first: bool = False, balance: Balance = "released") -> None:
        super().__init__()
        if balance not in get_args(Balance):
            raise ValueError(f"Unknown balance {balance!r}: choose released or stages.")
        self.up = None if first else nn.Linear(width, channels)
        self.down = nn.Linear(channels, width)
        self.balance: Balance = balance
        for linear in (self.up, self.down):
            if linear is not None:
                if balance == "released":
                    nn.init.kaiming_normal_(linear.weight, mode="fan_out")
                else:
                    nn.init.kaiming_normal_(linear.weight, mode="fan_in", nonlinearity="linear")
                nn.init.zeros_(linear.bias)

    def forward(self, nodes: Tensor | None, features: Tensor) -> Tensor:
        """Return the fused states ``(B, M, width)``.

        Args:
            nodes: States ``(B, M, width)``; ``None`` for the first fusion.
            features: ``(B, M, C)``.
        """
        if self.balance == "stages":
            features = F.layer_norm(features, features.shape[-1:])
        below = self.down(features)
        if self.up is None or nodes is None:
            return below
        weight = self.down.weight @ self.up.weight
        return below + F.linear(nodes, weight, self.down.weight @ self.up.bias)
