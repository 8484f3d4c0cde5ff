"""A vector amid the descriptors."""

import torch
from torch import Tensor

from vidreid.metrics.descriptors import Descriptors
from vidreid.metrics.distances import Distance
from vidreid.metrics.segments import Segments

_SAMPLE = 256


def centre_of(
    gallery: Descriptors, distance: Distance, segments: Segments | None, device: torch.device
) -> Tensor:
    """Mean of a sample of the gallery, evenly spread; segments are averaged over what shows.

    Args:
        gallery: The gallery.
        distance: For ``cosine`` descriptors are scaled to length 1 first.
        segments: How descriptors are joined, where they come with visibility.
        device: Where the mean is wanted.

    Returns:
        ``(D,)`` float64, not finite if the sample is not; zeros for an empty gallery.
    """
    if len(gallery) == 0:
        return torch.zeros(gallery.width, dtype=torch.float64, device=device)
    sample = gallery.take(torch.arange(0, len(gallery), -(-len(gallery) // _SAMPLE)), device)
    if sample.visible is not None and segments is not None:
        features = sample.shown(segments).double()
        counts = sample.visible.sum(dim=0, keepdim=True)
        return segments.divide_(features.sum(dim=0, keepdim=True), counts)[0]
    features = sample.features.double()
    if distance == "cosine":
        features = torch.nn.functional.normalize(features, dim=1)
    return features.mean(dim=0)
