"""Non-local block (Wang et al., CVPR 2018) over the cells of a map, as the released MGH has it."""

import torch.nn.functional as F
from torch import Tensor, nn


class NonLocalBlock(nn.Module):
    """Embedded Gaussian: add a weighted mean over the map, ``x + BN(W(softmax(theta(x) phi(x)^T) g(x)))``.

    All four projections are 1x1 convolutions with a bias, to half the channels and back. Keys ``phi`` and
    values ``g`` pass a 2x2 max pooling, so that a map of ``H * W`` cells has a quarter as many keys. Scale
    and shift of the batch norm start at zero: a new block changes nothing.

    Args:
        channels: ``C`` of the map, at least 2.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, inner, 1)
        self.pool = nn.MaxPool2d(2)
        self.output = nn.Conv2d(inner, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)
        nn.init.zeros_(self.norm.bias)

    def forward(self, feature_map: Tensor) -> Tensor:
        """Return a map of the same shape ``(N, C, H, W)``; H and W are at least 2."""
        size = feature_map.shape[2:]
        query = _cells(self.query(feature_map))
        key, value = (_cells(self.pool(part(feature_map))) for part in (self.key, self.value))
        # The products are not divided by the square root of the width, unlike in a transformer.
        attended = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        attended = attended.transpose(1, 2).unflatten(2, tuple(size))
        return feature_map + self.norm(self.output(attended))


def _cells(feature_map: Tensor) -> Tensor:
    """Return ``(N, H * W, C)`` of ``(N, C, H, W)``."""
    return feature_map.flatten(2).transpose(1, 2)
