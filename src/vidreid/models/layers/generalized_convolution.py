"""Generalized graph convolution and the pre-activated residual layer of DeeperGCN (Li et al. 2020)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidreid.models.layers.aggregation import Aggregate, aggregate_dense
from vidreid.models.layers.neighbours import Neighbours

MESSAGE_EPSILON = 1e-7


class GeneralizedConvolution(nn.Module):
    """GENConv, Eq. 5 to 7 of KMPNet.

    Message ``ReLU(h_u) + 1e-7``, softmax aggregation with one inverse temperature ``t``, then an MLP of the
    node plus its aggregate: linear to twice the width, layer norm, ReLU, linear back, with biases.

    Args:
        width: ``C`` of the nodes.
        aggregate: Aggregation function.
        learn_temperature: Learn ``t`` (start 1). Otherwise it stays 1 and, as in DeeperGCN, no gradient flows
            through the softmax.
    """

    def __init__(
        self, width: int = 64, aggregate: Aggregate = aggregate_dense, learn_temperature: bool = True
    ) -> None:
        super().__init__()
        self.aggregate = aggregate
        self.learn_temperature = learn_temperature
        self.t = nn.Parameter(torch.ones(1), requires_grad=learn_temperature)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width),
            nn.LayerNorm(2 * width),
            nn.ReLU(inplace=True),
            nn.Linear(2 * width, width),
        )

    def forward(self, nodes: Tensor, neighbours: Neighbours) -> Tensor:
        """Update nodes ``(B, M, C)`` by their neighbours."""
        messages = F.relu(nodes) + MESSAGE_EPSILON
        return self.mlp(nodes + self.aggregate(messages, self.t, neighbours, not self.learn_temperature))


class ResidualGraphLayer(nn.Module):
    """The ``res+`` layer: ``x + GENConv(Dropout(ReLU(LayerNorm(x))))``.

    Args:
        width: ``C`` of the nodes.
        dropout: Dropout probability before the convolution.
        aggregate: Aggregation function.
        learn_temperature: See ``GeneralizedConvolution``.
    """

    def __init__(
        self,
        width: int = 64,
        dropout: float = 0.1,
        aggregate: Aggregate = aggregate_dense,
        learn_temperature: bool = True,
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.convolution = GeneralizedConvolution(width, aggregate, learn_temperature)

    def forward(self, nodes: Tensor, neighbours: Neighbours) -> Tensor:
        """Update nodes ``(B, M, C)`` by their neighbours."""
        return nodes + self.convolution(self.dropout(F.relu(self.norm(nodes))), neighbours)
