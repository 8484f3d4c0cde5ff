"""The hardest positive and negative of every clip in a batch, and the loss of their distances."""

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from vidreid.losses.precision import at_least_single

LoneClips = Literal["skip", "count"]

NO_PAIRS = (
    "No clip of this batch has both a clip of its own and one of another identity, which the triplet "
    "loss compares: set data.sampler=identity with at least 2 identities_per_batch and "
    "2 tracklets_per_identity."
)
NO_NEGATIVE = 1e5
"""Distance to the nearest negative of a clip without one, where lone clips count."""


def gap_loss(positive: Tensor, negative: Tensor, margin: float | None) -> Tensor:
    """Return the mean over clips of the hinge, or of the soft margin (``None``), of distances ``(A,)``."""
    gap = positive - negative
    return (F.softplus(gap) if margin is None else F.relu(gap + margin)).mean()


def hard_distances(
    rows: Tensor, pids: Tensor, normalize: bool = False, lone_clips: LoneClips = "skip"
) -> tuple[Tensor, Tensor]:
    """Return the distances to the furthest positive and the nearest negative, ``(A,)`` of clips that count.

    Args:
        rows: ``(B, D)``, or ``(B, T, D)`` to average over time, with at least one clip.
        pids: Labels ``(B,)``.
        normalize: Bring the rows to unit length first.
        lone_clips: As of ``TripletLoss``.
    """
    with torch.autocast(rows.device.type, enabled=False):
        vectors = at_least_single(rows)
        if vectors.dim() == 3:
            vectors = vectors.mean(1)
        if normalize:
            vectors = F.normalize(vectors, dim=1)
        anchors, positives, negatives = hardest(vectors, pids, lone_clips)
        positive = _distances(vectors[anchors], vectors[positives])
        negative = _distances(vectors[anchors], vectors[negatives])
        if lone_clips == "count":
            # Where there is no negative, the row named is the clip's own or one of its identity.
            negative = negative.masked_fill(pids[anchors] == pids[negatives], NO_NEGATIVE)
        return positive, negative


@torch.no_grad()
def hardest(vectors: Tensor, pids: Tensor, lone_clips: LoneClips = "skip") -> tuple[Tensor, Tensor, Tensor]:
    """Return the rows of the clips that count, of their furthest positives and of their nearest negatives.

    Args:
        vectors: ``(B, D)``, at least one.
        pids: Labels ``(B,)``.
        lone_clips: With ``count`` all clips count; the positive may be the clip itself, and the row of the
            negative is one of the same identity where there is no other.
    """
    # Differences, not products: the choice must not hang on cancellation between nearly equal clips.
    distances = torch.cdist(vectors, vectors, compute_mode="donot_use_mm_for_euclid_dist")
    same = pids[:, None] == pids
    others = same.clone().fill_diagonal_(fill_value=lone_clips == "count")
    anchors = torch.arange(len(pids), device=pids.device)
    if lone_clips == "skip":
        anchors = anchors[others.any(1) & ~same.all(1)]
    positives = distances.masked_fill(~others, -1.0).argmax(1)
    negatives = distances.masked_fill(same, torch.inf).argmin(1)
    return anchors, positives[anchors], negatives[anchors]


def check_lone_clips(lone_clips: LoneClips) -> LoneClips:
    """Return the choice.

    Raises:
        ValueError: If there is no such choice.
    """
    if lone_clips not in get_args(LoneClips):
        raise ValueError(f"Unknown lone_clips {lone_clips!r} for the triplet loss: choose skip or count.")
    return lone_clips


def check_pairs(pids: Tensor, lone_clips: LoneClips) -> None:
    """Refuse a batch that cannot teach anything, whatever parts show.

    Args:
        pids: Labels ``(B,)``.
        lone_clips: As of ``hardest``.

    Raises:
        ValueError: If lone clips do not count and no clip has both a positive and a negative.
    """
    same = pids[:, None] == pids
    if lone_clips == "skip" and not ((same.sum(1) > 1) & ~same.all(1)).any():
        raise ValueError(NO_PAIRS)


def _distances(one: Tensor, other: Tensor) -> Tensor:
    # Without the floor the root has an infinite slope at 0.
    return (one - other).square().sum(1).clamp_min(1e-12).sqrt()
