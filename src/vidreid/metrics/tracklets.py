"""From descriptors of clips to descriptors of tracklets."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vidreid.metrics.segments import Segments, refuse_angles

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
        clips: ``(n,)`` int64, how many clips were averaged; ``None`` where nobody counted.
        visible: ``(n, S)`` bool, the segments that show; the others are zero. ``None`` if all always do.
        segments: How descriptors are joined, where ``visible`` is given.
        outfits: ``(n,)`` int64, compared within an identity; ``None`` where nobody said.
    """

    features: Tensor
    tracklets: Tensor
    pids: Tensor
    cameras: Tensor
    roles: Tensor
    clips: Tensor | None = None
    visible: Tensor | None = None
    segments: Segments | None = None
    outfits: Tensor | None = None

    def having(self, role: int) -> "TrackletDescriptors":
        """The tracklets that play a role: ``QUERY`` or ``GALLERY``."""
        rows = (self.roles & role) > 0
        return TrackletDescriptors(
            self.features[rows],
            self.tracklets[rows],
            self.pids[rows],
            self.cameras[rows],
            self.roles[rows],
            None if self.clips is None else self.clips[rows],
            None if self.visible is None else self.visible[rows],
            self.segments,
            None if self.outfits is None else self.outfits[rows],
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
    visible: Tensor | None = None,
    segments: Segments | None = None,
    outfits: Tensor | None = None,
) -> TrackletDescriptors:
    """Average the clip descriptors of each tracklet.

    With visibility each segment is averaged over the clips in which it shows. A tracklet shows a segment if
    one of its clips does; hidden segments become zero.

    Args:
        features: ``(n, D)`` float32, ordered by clip, each clip once.
        tracklets: ``(n,)`` int64.
        pids: ``(n,)`` int64.
        cameras: ``(n,)`` int64.
        roles: ``(n,)`` int64.
        normalize: ``none`` averages raw descriptors; ``before`` scales each clip's descriptor to length 1
            first; ``after`` scales the mean to length 1. These are different systems: report which was used.
        visible: ``(n, S)`` bool, the segments that show in each clip; ``None`` if all always do.
        segments: How descriptors are joined; needed with ``visible``.
        outfits: ``(n,)`` int64.

    Returns:
        The means, in the order of the tracklets' first clips.

    Raises:
        ValueError: If clips of one tracklet disagree about its identity, camera, role or outfit, or
            visibility comes without segments or together with a normalisation.
    """
    if visible is not None:
        if segments is None:
            raise ValueError("Visible parts need the segments that descriptors are joined from.")
        refuse_angles("euclidean", normalize)
        segments.check(features, visible)
    if normalize == "before":
        features = torch.nn.functional.normalize(features, dim=1)
    _, group = tracklets.unique(return_inverse=True)
    order = group.argsort(stable=True)
    lengths = torch.bincount(group)
    first = order[lengths.cumsum(0) - lengths]
    facts = {"identity": pids, "camera": cameras, "role": roles, "outfit": outfits}
    for name, values in facts.items():
        if values is None:
            continue
        wrong = values != values[first][group]
        if bool(wrong.any()):
            raise ValueError(
                f"The clips of tracklet {int(tracklets[wrong][0])} disagree about its {name}: tracklet "
                "numbers must be unique within the evaluated table."
            )
    by_clip = first.argsort()
    rows = first[by_clip]
    if len(lengths) < len(features):
        # A sum per segment in a fixed order: unlike scattered additions, the same bits on every device run.
        if visible is None or segments is None:
            features = torch.segment_reduce(features[order], "mean", lengths=lengths, axis=0)
        else:
            features, visible = _visible_mean(features[order], visible[order], lengths, segments)
            visible = visible[by_clip]
        features = features[by_clip]
    elif visible is not None and segments is not None:
        features = segments.hide(features, visible)
    if normalize == "after":
        features = torch.nn.functional.normalize(features, dim=1)
    return TrackletDescriptors(
        features,
        tracklets[rows],
        pids[rows],
        cameras[rows],
        roles[rows],
        lengths[by_clip],
        visible,
        None if visible is None else segments,
        None if outfits is None else outfits[rows],
    )


def _visible_mean(
    features: Tensor, visible: Tensor, lengths: Tensor, segments: Segments
) -> tuple[Tensor, Tensor]:
    """Mean of each segment over the clips that show it, of runs of clips; ``features`` is overwritten."""
    sums = torch.segment_reduce(segments.hide_(features, visible), "sum", lengths=lengths, axis=0)
    counts = torch.segment_reduce(visible.float(), "sum", lengths=lengths, axis=0)
    for part, count in zip(sums.split(segments.sizes, dim=1), counts.T, strict=True):
        part.div_(count.clamp(min=1)[:, None])
    return sums, counts > 0
