"""From descriptors of clips to descriptors of tracklets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vidreid.metrics.segments import Segments, refuse_angles

Normalize = Literal["none", "before", "after"]
Pooling = Literal["mean", "max"]

QUERY = 1
GALLERY = 2


@dataclass(frozen=True)
class TrackletDescriptors:
    """One descriptor a tracklet, ordered by the tracklet's first clip.

    A tracklet that asks by one image and is searched as a whole is there twice: once as a query, once in the
    gallery.

    Attributes:
        features: ``(n, D)`` float32.
        tracklets: ``(n,)`` int64.
        pids: ``(n,)`` int64.
        cameras: ``(n,)`` int64.
        roles: ``(n,)`` int64, sum of 1 (query) and 2 (gallery).
        clips: ``(n,)`` int64, how many clips were pooled; ``None`` where nobody counted.
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
        return self.where((self.roles & role) > 0)

    def where(self, rows: Tensor) -> "TrackletDescriptors":
        """Some of the tracklets.

        Args:
            rows: ``(n,)`` bool, or the numbers of rows.
        """
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


def pool_clips(
    features: Tensor,
    tracklets: Tensor,
    pids: Tensor,
    cameras: Tensor,
    roles: Tensor,
    normalize: Normalize = "none",
    visible: Tensor | None = None,
    segments: Segments | None = None,
    outfits: Tensor | None = None,
    pooling: Pooling = "mean",
) -> TrackletDescriptors:
    """Make one descriptor of the clips of each tracklet, for queries and gallery alike.

    With visibility each segment is pooled over the clips in which it shows. A tracklet shows a segment if one
    of its clips does; hidden segments become zero.

    Clips of one tracklet may come as a query (role 1) and as gallery (role 2), such as one image and the
    whole: these are pooled apart.

    Args:
        features: ``(n, D)`` float32, ordered by clip, each clip once.
        tracklets: ``(n,)`` int64.
        pids: ``(n,)`` int64.
        cameras: ``(n,)`` int64.
        roles: ``(n,)`` int64.
        normalize: ``none`` pools raw descriptors; ``before`` scales each clip's descriptor to length 1 first;
            ``after`` scales the pooled one to length 1. These are different systems: report which was used.
        visible: ``(n, S)`` bool, the segments that show in each clip; ``None`` if all always do.
        segments: How descriptors are joined; needed with ``visible``.
        outfits: ``(n,)`` int64.
        pooling: ``mean`` over the clips, or ``max``: the largest of each value, as the evaluation package of
            MARS pools frames.

    Returns:
        The pooled descriptors, in the order of the tracklets' first clips.

    Raises:
        ValueError: If clips of one tracklet disagree about its identity, camera, role or outfit, or
            visibility comes without segments or together with a normalisation.
    """
    if visible is not None:
        if segments is None:
            raise ValueError("Visible parts need the segments that descriptors are joined from.")
        refuse_angles("euclidean", normalize)
        segments.check(features, visible)
    _check_facts(tracklets, roles, {"identity": pids, "camera": cameras, "outfit": outfits})
    if normalize == "before":
        features = torch.nn.functional.normalize(features, dim=1)
    _, group = (tracklets * 4 + roles).unique(return_inverse=True)
    order = group.argsort(stable=True)
    lengths = torch.bincount(group)
    first = order[lengths.cumsum(0) - lengths]
    by_clip = first.argsort()
    rows = first[by_clip]
    if len(lengths) < len(features):
        # Reduced by runs, in a fixed order: unlike scattered additions, the same bits on every device run.
        if visible is None or segments is None:
            features = torch.segment_reduce(features[order], pooling, lengths=lengths, axis=0)
        else:
            features, visible = features[order], visible[order]
            shows = torch.segment_reduce(visible.float(), "max", lengths=lengths, axis=0) > 0
            if pooling == "mean":
                features = _visible_mean(features, visible, lengths, segments)
            else:
                lowest = segments.hide_(features, visible, -torch.inf)
                features = torch.segment_reduce(lowest, "max", lengths=lengths, axis=0)
                features = segments.hide_(features, shows)
            visible = shows[by_clip]
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


def _check_facts(tracklets: Tensor, roles: Tensor, facts: Mapping[str, Tensor | None]) -> None:
    """Refuse clips of one tracklet that say different things about it."""
    _, group = tracklets.unique(return_inverse=True)
    lengths = torch.bincount(group)
    first = group.argsort(stable=True)[lengths.cumsum(0) - lengths]
    wrong = {name: values != values[first][group] for name, values in facts.items() if values is not None}
    # Two roles of a tracklet are one that asks only and one that is searched only.
    changes = torch.zeros_like(first).index_add_(0, group, (roles != roles[first][group]).long())
    wrong["role"] = (changes[group] > 0) & (roles != QUERY) & (roles != GALLERY)
    for name, places in wrong.items():
        if bool(places.any()):
            raise ValueError(
                f"The clips of tracklet {int(tracklets[places][0])} disagree about its {name}: tracklet "
                "numbers must be unique within the evaluated table."
            )


def _visible_mean(features: Tensor, visible: Tensor, lengths: Tensor, segments: Segments) -> Tensor:
    """Mean of each segment over the clips that show it, of runs of clips; ``features`` is overwritten."""
    sums = torch.segment_reduce(segments.hide_(features, visible), "sum", lengths=lengths, axis=0)
    counts = torch.segment_reduce(visible.float(), "sum", lengths=lengths, axis=0)
    return segments.divide_(sums, counts)
