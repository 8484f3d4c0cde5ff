"""Generalized graph convolution and the pre-activated residual layer of DeeperGCN (Li et al. 2020)."""

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidreid.models.layers.aggregation import Aggregate, aggregate_dense
from vidreid.models.layers.neighbours import Neighbours

MESSAGE_EPSILON = 1e-7

Temperature = Literal["inverse", "divides", "fixed"]


class GeneralizedConvolution(nn.Module):
    """GENConv, Eq. 5 to 7 of KMPNet.

    Message ``ReLU(h_u) + 1e-7``, softmax aggregation with one inverse temperature ``t``, then an MLP of the
    node plus its aggregate: linear to twice the width, layer norm, ReLU, linear back, with biases.

    Args:
        width: ``C`` of the nodes.
        aggregate: Aggregation function.
        temperature: ``inverse``: ``t`` multiplies the messages in the softmax and is learned from 1 on, as
            in the released code, where it may even become negative. ``divides``: the paper's ``tau`` is
            learned and divides them. ``fixed``: it stays 1 and, as in DeeperGCN, no gradient flows through
            the softmax.

    Raises:
        ValueError: For an unknown temperature.
    """

    def __init__(
        self,
        width: int = 64,
        aggregate: Aggregate = aggregate_dense,
        temperature: Temperature = "inverse",
    ) -> None:
        super().__init__()
        if temperature not in get_args(Temperature):
            raise ValueError(f"Unknown temperature {temperature!r}: choose inverse, divides or fixed.")
        self.aggregate = aggregate
        self.temperature: Temperature = temperature
        self.t = nn.Parameter(torch.ones(1), requires_grad=temperature != "fixed")
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width),
            nn.LayerNorm(2 * width),
            nn.ReLU(inplace=True),
            nn.Linear(2 * width, width),
        )

    def forward(self, nodes: Tensor, neighbours: Neighbours) -> Tensor:
        """Update nodes ``(B, M, C)`` by their neighbours."""
        messages = F.relu(nodes) + MESSAGE_EPSILON
        t = 1 / self.t if self.temperature == "divides" else self.t
        return self.mlp(nodes + self.aggregate(messages, t, neighbours, self.temperature == "fixed"))


class ResidualGraphLayer(nn.Module):
    """The ``res+`` layer: ``x + GENConv(Dropout(ReLU(LayerNorm(x))))``.

    Args:
        width: ``C`` of the nodes.
        dropout: Dropout probability before the convolution.
        aggregate: Aggregation function.
        temperature: See ``GeneralizedConvolution``.
    """

    def __init__(
        self,
        width: int = 64,
        dropout: float = 0.1,
        aggregate: Aggregate = aggregate_dense,
        temperature: Temperature = "inverse",
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.convolution = GeneralizedConvolution(width, aggregate, temperature)

    def forward(self, nodes: Tensor, neighbours: Neighbours) -> Tensor:
        """Update nodes ``(B, M, C)`` by their neighbours."""
        return nodes + self.convolution(self.dropout(F.relu(self.norm(nodes))), neighbours)
