"""The torchmetrics class: exact re-identification scores on any number of processes."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from vidreid.metrics.average_precision import AveragePrecision
from vidreid.metrics.distances import Distance
from vidreid.metrics.legacy import Cameras, legacy_frame_cameras
from vidreid.metrics.matches import Answers, check_answers
from vidreid.metrics.ranking import RankingResult, Unanswered, rank
from vidreid.metrics.segments import Segments, refuse_angles
from vidreid.metrics.tracklets import (
    GALLERY,
    QUERY,
    Normalize,
    Pooling,
    TrackletDescriptors,
    first_of_each,
    pool_clips,
)

_META = 6  # clip, tracklet, pid, camera, role, outfit; then one column a segment, if visibility is given

_SOME_VISIBLE = "Visible parts came with some clips only: give them in every update or in none."


class ReidMetric(Metric):
    """CMC, mAP and mINP of tracklets from the descriptors of their clips.

    The state is the descriptors and the integer facts about them, so two collectives gather everything. Clips
    that a padded sampler repeats are counted once, by their number; missing clips are an error. Clips of a
    tracklet are pooled, and every query is ranked exactly (:func:`~vidreid.metrics.ranking.rank`), so the
    result does not depend on the number of processes, on batch sizes or on the order of the batches.

    Args:
        expected_clips: Number of clips in the evaluation, numbered from 0; ``None`` does not check (for runs
            that are cut short on purpose). May be set later as an attribute.
        normalize: ``none``, ``before`` or ``after`` pooling, see
            :func:`~vidreid.metrics.tracklets.pool_clips`.
        pooling: ``mean`` or ``max`` over the clips of a tracklet, of queries and gallery alike.
        distance: ``euclidean`` (squared) or ``cosine``.
        average_precision: ``hits`` or ``trapezoid``.
        junk_pid: Identity that is ignored in the gallery; ``None`` counts it as wrong.
        unanswered: ``skip`` or ``zero``.
        max_rank: Length of the CMC curve, at least 20.
        block: Queries ranked at a time.
        segments: Sizes of the parts that descriptors are joined from, for descriptors whose parts may not
            show; see :class:`~vidreid.metrics.visible_distances.VisibleDistances`.
        segment_weights: Their expected shares in a squared distance; by default the sizes.
        cameras: ``tracklets``; or ``legacy_frames``, which repeats the mistake of a released evaluation
            (:func:`~vidreid.metrics.legacy.legacy_frame_cameras`). Such numbers are wrong.
        frames_per_clip: Frames of a clip, which that mistake depends on.
        answers: Which outfits answer a query: ``any``, ``same_outfit`` or ``other_outfit``
            (:func:`~vidreid.metrics.ranking.rank`).
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    features: list[Tensor]
    meta: list[Tensor]

    def __init__(
        self,
        expected_clips: int | None = None,
        *,
        normalize: Normalize = "none",
        distance: Distance = "euclidean",
        average_precision: AveragePrecision = "hits",
        junk_pid: int | None = -1,
        unanswered: Unanswered = "skip",
        max_rank: int = 50,
        block: int = 512,
        segments: Sequence[int] | None = None,
        segment_weights: Sequence[float] | None = None,
        cameras: Cameras = "tracklets",
        frames_per_clip: int | None = None,
        answers: Answers = "any",
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__()
        if normalize not in ("none", "before", "after"):
            raise ValueError(f"Unknown normalisation {normalize!r}: choose none, before or after.")
        if pooling not in ("mean", "max"):
            raise ValueError(f"Unknown pooling of clips {pooling!r}: choose mean or max.")
        if max_rank < 20:
            raise ValueError(f"max_rank is {max_rank}, but rank20 is reported: it must be at least 20.")
        if cameras not in ("tracklets", "legacy_frames"):
            raise ValueError(f"Unknown cameras {cameras!r}: choose tracklets or legacy_frames.")
        if cameras == "legacy_frames" and not frames_per_clip:
            raise ValueError("cameras=legacy_frames repeats cameras for every frame: give frames_per_clip.")
        check_answers(answers)
        self.expected_clips = expected_clips
        self.normalize: Normalize = normalize
        self.pooling: Pooling = pooling
        self.distance: Distance = distance
        self.average_precision: AveragePrecision = average_precision
        self.junk_pid = junk_pid
        self.unanswered: Unanswered = unanswered
        self.max_rank = max_rank
        self.block = block
        weights = None if segment_weights is None else tuple(segment_weights)
        self.segments = None if segments is None else Segments(tuple(segments), weights)
        self.cameras: Cameras = cameras
        self.frames_per_clip = frames_per_clip
        self.answers: Answers = answers
        self._descriptors: TrackletDescriptors | None = None
        self._result: RankingResult | None = None
        self.add_state("features", default=[], dist_reduce_fx="cat")
        self.add_state("meta", default=[], dist_reduce_fx="cat")

    def update(
        self,
        features: Tensor,
        clips: Tensor,
        tracklets: Tensor,
        pids: Tensor,
        cameras: Tensor,
        roles: Tensor,
        visible: Tensor | None = None,
        outfits: Tensor | None = None,
    ) -> None:
        """Add the descriptors of ``B`` clips.

        Args:
            features: ``(B, D)``, kept as float32.
            clips: ``(B,)`` int64, position in the flat list of evaluation clips.
            tracklets: ``(B,)`` int64.
            pids: ``(B,)`` int64, true identities.
            cameras: ``(B,)`` int64.
            roles: ``(B,)`` int64, sum of 1 (query) and 2 (gallery); 0 is neither.
            visible: ``(B, S)`` bool, segments that show; given in all updates or in none.
            outfits: ``(B,)`` int64, compared within an identity; ``None``: everybody wears one, 0.

        Raises:
            ValueError: If shapes disagree, visibility comes in some updates only, or it cannot be respected
                under the metric's distance or normalisation.
        """
        if features.ndim != 2:
            raise ValueError(f"Descriptors must be (B, D), not {tuple(features.shape)}.")
        outfits = torch.zeros_like(pids) if outfits is None else outfits
        facts = torch.stack([clips, tracklets, pids, cameras, roles, outfits], dim=1)
        facts = facts.long().to(features.device)
        if visible is not None:
            if self.segments is None:
                raise ValueError("Visible parts came to a metric that knows no segments: give it segments.")
            refuse_angles(self.distance, self.normalize)
            self.segments.check(features, visible)
            facts = torch.cat([facts, visible.to(facts)], dim=1)
        if len(self.meta) and self.meta[-1].shape[1] != facts.shape[1]:
            raise ValueError(_SOME_VISIBLE)
        self.features.append(features.detach().float())
        self.meta.append(facts)

    def compute(self) -> dict[str, Tensor]:
        """Scores of all clips of all processes.

        Returns:
            ``rank1``, ``rank5``, ``rank10``, ``rank20``, ``mAP``, ``mINP``, ``queries_counted``,
            ``queries_dropped``, ``queries_tied`` and ``gallery`` (items that count), float32 scalars.

        Raises:
            ValueError: If clips are missing, contradict each other or are not finite.
        """
        descriptors = self._collect()
        query, gallery = descriptors.having(QUERY), descriptors.having(GALLERY)
        result = rank(
            query.features,
            gallery.features,
            query.pids,
            gallery.pids,
            self.cameras_of(query),
            self.cameras_of(gallery),
            distance=self.distance,
            average_precision=self.average_precision,
            junk_pid=self.junk_pid,
            unanswered=self.unanswered,
            max_rank=self.max_rank,
            block=self.block,
            segments=descriptors.segments,
            query_visible=query.visible,
            gallery_visible=gallery.visible,
            query_outfits=query.outfits,
            gallery_outfits=gallery.outfits,
            answers=self.answers,
        )
        self._descriptors, self._result = descriptors, result
        junk = 0 if self.junk_pid is None else int((gallery.pids == self.junk_pid).sum())
        scores = {f"rank{k}": float(result.cmc[k - 1]) for k in (1, 5, 10, 20)}
        scores |= {"mAP": result.mean_ap, "mINP": result.mean_inp}
        scores |= {"queries_counted": result.queries_counted, "queries_dropped": result.queries_dropped}
        scores |= {"queries_tied": result.queries_tied, "gallery": len(gallery.pids) - junk}
        return {
            name: torch.tensor(value, dtype=torch.float32, device=self.device)
            for name, value in scores.items()
        }

    def result(self) -> RankingResult:
        """The whole ranking result behind :meth:`compute`, which runs if it has not.

        Every process of a distributed evaluation must call it.
        """
        self.compute()
        assert self._result is not None
        return self._result

    def descriptors(self) -> TrackletDescriptors:
        """One descriptor a tracklet (two, if it asks by one image and is searched); see :meth:`result`."""
        self.compute()
        assert self._descriptors is not None
        return self._descriptors

    def cameras_of(self, side: TrackletDescriptors) -> Tensor:
        """Return the cameras ``(n,)`` that decide what is ignored, of the queries or of the gallery."""
        if self.cameras == "tracklets":
            return side.cameras
        assert side.clips is not None
        assert self.frames_per_clip is not None
        return legacy_frame_cameras(side.cameras, side.clips, self.frames_per_clip)

    def reset(self) -> None:
        """Forget all clips."""
        super().reset()
        self._descriptors = self._result = None

    def _collect(self) -> TrackletDescriptors:
        if len(self.features) == 0:
            features = torch.empty(0, 0, device=self.device)
            meta = torch.empty(0, _META, dtype=torch.int64, device=self.device)
        else:  # lists of one process, tensors after a gather
            features, meta = dim_zero_cat(self.features), dim_zero_cat(self.meta)
        rows = first_of_each(meta[:, 0])
        features, meta = features[rows], meta[rows]
        if self.expected_clips is not None:
            _check_complete(meta[:, 0], self.expected_clips)
        _, tracklets, pids, cameras, roles, outfits = meta[:, :_META].unbind(dim=1)
        visible = meta[:, _META:].bool() if meta.shape[1] > _META else None
        facts = tracklets, pids, cameras, roles
        return pool_clips(features, *facts, self.normalize, visible, self.segments, outfits, self.pooling)

    def _sync_dist(
        self, dist_sync_fn: Callable[..., list[Tensor]] | None = None, process_group: Any | None = None
    ) -> None:
        # A process without a single clip would send an empty one-dimensional float state, which no collective
        # can join with its peers' matrices. Agree on the widths first, so that it can send (0, D).
        if dist_sync_fn is not None:
            own = [self.features[0].shape[1], self.meta[0].shape[1]] if self.features else [0, 0]
            group = process_group or self.process_group
            widths = torch.stack(dist_sync_fn(torch.tensor(own, device=self.device), group=group))
            width, columns = widths.amax(dim=0).tolist()
            if bool(((widths[:, 1] > 0) & (widths[:, 1] != columns)).any()):
                raise ValueError(_SOME_VISIBLE)
            if not self.features:
                self.features = [torch.empty(0, width, device=self.device)]
                self.meta = [torch.empty(0, columns or _META, dtype=torch.int64, device=self.device)]
        super()._sync_dist(dist_sync_fn, process_group)  # pyright: ignore[reportArgumentType]


def _check_complete(clips: Tensor, expected: int) -> None:
    if len(clips) == expected and (expected == 0 or (int(clips[0]) == 0 and int(clips[-1]) == expected - 1)):
        return
    present = torch.zeros(expected, dtype=torch.bool, device=clips.device)
    present[clips[(clips >= 0) & (clips < expected)]] = True
    missing = (~present).nonzero().squeeze(1)
    if len(missing) == 0:
        raise ValueError(
            f"The evaluation has {expected} clips, but clip {int(clips[-1] if clips[0] >= 0 else clips[0])} "
            "came: clips are numbered from 0 by the evaluation dataset."
        )
    raise ValueError(
        f"{len(missing)} of {expected} evaluation clips are missing, the first is clip {int(missing[0])}: "
        "every clip must reach `update` on some process; a run cut short on purpose sets expected_clips=None."
    )
