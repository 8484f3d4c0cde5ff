"""From descriptors of clips to descriptors of tracklets."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Normalize = Literal["none", "before", "after"]

QUERY = 1
GALLERY = 2


@dataclass(frozen=True)
class TrackletDescriptors:
    """One descriptor a tracklet, ordered by the tracklet's first clip.

    Attributes:
        features: ``(n, D)`` float32.
        tracklets: ``(n,)`` int64.
        pids: ``(n,)`` int64.
        cameras: ``(n,)`` int64.
        roles: ``(n,)`` int64, sum of 1 (query) and 2 (gallery).
    """

    features: Tensor
    tracklets: Tensor
    pids: Tensor
    cameras: Tensor
    roles: Tensor

    def having(self, role: int) -> "TrackletDescriptors":
        """The tracklets that play a role: ``QUERY`` or ``GALLERY``."""
        rows = (self.roles & role) > 0
        return TrackletDescriptors(
            self.features[rows], self.tracklets[rows], self.pids[rows], self.cameras[rows], self.roles[rows]
        )


def first_of_each(clips: Tensor) -> Tensor:
    """Rows of the first occurrence of each clip number, ordered by clip number.

    Args:
        clips: ``(n,)`` int64, with repetitions.
    """
    ordered, order = clips.sort(stable=True)
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return order[first]


def average_clips(
    features: Tensor,
    tracklets: Tensor,
    pids: Tensor,
    cameras: Tensor,
    roles: Tensor,
    normalize: Normalize = "none",
) -> TrackletDescriptors:
    """Average the clip descriptors of each tracklet.

    Args:
        features: ``(n, D)`` float32, ordered by clip, each clip once.
        tracklets: ``(n,)`` int64.
        pids: ``(n,)`` int64.
        cameras: ``(n,)`` int64.
        roles: ``(n,)`` int64.
        normalize: ``none`` averages raw descriptors; ``before`` scales each clip's descriptor to length 1
            first; ``after`` scales the mean to length 1. These are different systems: report which was used.

    Returns:
        The means, in the order of the tracklets' first clips.

    Raises:
        ValueError: If clips of one tracklet disagree about its identity, camera or role.
    """
    if normalize == "before":
        features = torch.nn.functional.normalize(features, dim=1)
    _, group = tracklets.unique(return_inverse=True)
    order = group.argsort(stable=True)
    lengths = torch.bincount(group)
    first = order[lengths.cumsum(0) - lengths]
    for name, values in (("identity", pids), ("camera", cameras), ("role", roles)):
        wrong = values != values[first][group]
        if bool(wrong.any()):
            raise ValueError(
                f"The clips of tracklet {int(tracklets[wrong][0])} disagree about its {name}: tracklet "
                "numbers must be unique within the evaluated table."
            )
    if len(lengths) < len(features):
        # A sum per segment in a fixed order: unlike scattered additions, the same bits on every device run.
        features = torch.segment_reduce(features[order], "mean", lengths=lengths, axis=0)
        by_clip = first.argsort()
        features, rows = features[by_clip], first[by_clip]
    else:
        rows = slice(None)
    if normalize == "after":
        features = torch.nn.functional.normalize(features, dim=1)
    return TrackletDescriptors(features, tracklets[rows], pids[rows], cameras[rows], roles[rows])
