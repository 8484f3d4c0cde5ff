"""BN-neck: batch normalisation between the vector of the metric losses and the classifier (Luo et al.,
2019)."""

from torch import Tensor, nn


def bn_neck(width: int) -> nn.BatchNorm1d:
    """Return a batch normalisation whose bias stays at 0: it is not trained."""
    neck = nn.BatchNorm1d(width)
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
