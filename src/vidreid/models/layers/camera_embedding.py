"""Side information embedding: a learned vector a camera (TransReID, section 3.3)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class CameraEmbedding(nn.Module):
    """Vectors of cameras that are known by their numbers; others get the mean of all.

    Args:
        numbers: Camera numbers of the training data.
        width: ``D``.
        weight: What the vectors are multiplied with (3 in the released codes).

    Raises:
        ValueError: If there is no camera.
    """

    numbers: Tensor

    def __init__(self, numbers: Sequence[int], width: int, weight: float = 3.0) -> None:
        super().__init__()
        if not numbers:
            raise ValueError(
                "A camera embedding needs the numbers of the cameras: it is filled in from the data."
            )
        self.weight = weight
        self.register_buffer("numbers", torch.tensor(sorted(numbers)), persistent=False)
        self.table = nn.Parameter(torch.zeros(len(numbers), width))
        nn.init.trunc_normal_(self.table, std=0.02)

    def forward(self, cameras: Tensor | None, count: int) -> Tensor:
        """Return the weighted vectors ``(N, D)``.

        Args:
            cameras: ``(N,)`` camera numbers, or ``None`` if nobody knows them.
            count: ``N``.
        """
        mean = self.table.mean(0, keepdim=True)
        if cameras is None:
            return self.weight * mean.expand(count, -1)
        place = torch.searchsorted(self.numbers, cameras.contiguous()).clamp_max(len(self.numbers) - 1)
        known = self.numbers[place] == cameras
        table = torch.cat([self.table, mean])
        return self.weight * table[torch.where(known, place, len(self.numbers))]
