"""Temporal attention over the frames of a clip (VID-Trans-ReID; KeyRe-ID, Eq. 8; after Pathak et al.,
2020)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TemporalAttention(nn.Module):
    """Weigh frames by a 1x1 and a temporal convolution, and average them.

    ``a = ReLU(conv_3(ReLU(W g)))`` over time and ``f = sum_t softmax_t(a) g_t``. As released there is a ReLU
    before the softmax, so that a frame can be weighed up and never down below those with score 0.

    Args:
        width: ``D`` of a frame's vector.
        hidden: Channels between the two convolutions.
    """

    def __init__(self, width: int, hidden: int = 256) -> None:
        super().__init__()
        self.reduce = nn.Linear(width, hidden)
        self.over_time = nn.Conv1d(hidden, 1, kernel_size=3, padding=1)
        for layer in (self.reduce, self.over_time):
            nn.init.kaiming_normal_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Pool the frames of clips.

        Args:
            frames: ``(B, T, D)``.

        Returns:
            The pooled vectors ``(B, D)`` and the raw scores ``a`` ``(B, T)``, after the ReLU and before the
            softmax.
        """
        hidden = F.relu(self.reduce(frames)).transpose(1, 2)
        scores = F.relu(self.over_time(hidden)).squeeze(1)
        return torch.einsum("bt,btd->bd", scores.softmax(dim=1), frames), scores
