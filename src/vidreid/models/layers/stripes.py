"""Horizontal stripes of a map and their classifiers: PCB (Sun et al., ECCV 2018) in torchreid's form."""

import torch.nn.functional as F
from torch import Tensor, nn


def pool_stripes(feature_map: Tensor, stripes: int) -> Tensor:
    """Average a map over equal horizontal stripes.

    Rows that do not divide are shared by two stripes: stripe ``i`` of ``P`` covers rows ``floor(i*H/P)`` to
    ``ceil((i+1)*H/P) - 1``.

    Args:
        feature_map: ``(N, C, H, W)``.
        stripes: ``P``.

    Returns:
        ``(N, C, P)``.
    """
    return F.adaptive_avg_pool2d(feature_map, (stripes, 1)).squeeze(3)


class StripeHead(nn.Module):
    """One shared reduction, then one classifier a stripe.

    Dropout, 1x1 convolution without bias, batch norm and ReLU are shared by the stripes; a linear layer with
    bias each gives the logits.

    Args:
        channels: ``C`` of the pooled stripes.
        num_identities: Number of classes.
        stripes: ``P``.
        reduced: Width after the reduction.
        dropout: Dropout probability on the pooled stripes.
    """

    def __init__(
        self, channels: int, num_identities: int, stripes: int, reduced: int, dropout: float
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        convolution = nn.Conv2d(channels, reduced, 1, bias=False)
        nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
        self.reduction = nn.Sequential(convolution, nn.BatchNorm2d(reduced), nn.ReLU(inplace=True))
        self.classifiers = nn.ModuleList(classifier(reduced, num_identities) for _ in range(stripes))

    def forward(self, pooled: Tensor) -> list[Tensor]:
        """Return ``P`` logits ``(N, num_identities)``, top to bottom, of pooled stripes ``(N, C, P)``."""
        reduced = self.reduction(self.dropout(pooled).unsqueeze(3)).squeeze(3)
        return [head(reduced[:, :, i]) for i, head in enumerate(self.classifiers)]


def classifier(width: int, num_identities: int) -> nn.Linear:
    """Return a linear classifier with torchreid's start: weights of deviation 0.01, no bias."""
    linear = nn.Linear(width, num_identities)
    nn.init.normal_(linear.weight, std=0.01)
    nn.init.zeros_(linear.bias)
    return linear
