"""BN-neck: batch normalisation between the vector of the metric losses and the classifier (Luo et al.,
2019)."""

import torch
from torch import Tensor, nn


class BNNeck(nn.BatchNorm1d):
    """Batch normalisation of vectors ``(B, D)`` in the precision of its own parameters.

    Autocast hands vectors over in half precision, and would hand on normalised ones in half precision: with 8
    bits of mantissa, neighbouring descriptors fall together. Here both sides are float32, as the parameters
    are. (Under ``precision=bf16-true`` these are half too, and nothing is widened.)
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised vectors, at least as wide as the parameters."""
        return super().forward(_widened(input, self.weight))


class SyncBNNeck(nn.SyncBatchNorm):
    """The same with the statistics of all processes; see ``vidreid.training.batch_norm_sync``."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised vectors, at least as wide as the parameters."""
        return super().forward(_widened(input, self.weight))


def bn_neck(width: int) -> BNNeck:
    """Return a neck whose bias stays at 0: it is not trained."""
    neck = BNNeck(width)
    neck.bias.requires_grad = False
    return neck


class NeckClassifier(nn.Module):
    """Bias-free classifiers behind the necks, by the name of their head.

    Args:
        sizes: Width of every head's vector.
        num_identities: ``C``.
    """

    def __init__(self, sizes: dict[str, int], num_identities: int) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(
            {name: nn.Linear(size, num_identities, bias=False) for name, size in sizes.items()}
        )
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.001)

    def forward(self, vectors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the logits ``(B, C)`` of normalised vectors ``(B, D)``, head by head."""
        return {name: self.layers[name](vector) for name, vector in vectors.items()}


def _widened(vectors: Tensor, parameters: Tensor) -> Tensor:
    return vectors.to(torch.promote_types(vectors.dtype, parameters.dtype))
