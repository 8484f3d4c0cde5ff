"""Triplet loss with the hardest positive and negative of a batch (Hermans et al., 2017)."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidreid.losses.value import NO_FACTS, ClipFacts, LossValue


class TripletLoss(nn.Module):
    """Mean over the clips of a batch of ``max(0, d_p - d_n + margin)``, or of ``log(1 + exp(d_p - d_n))``.

    ``d_p`` is the Euclidean distance to the furthest clip of the same identity, ``d_n`` that to the nearest
    of another. **A clip counts only if the batch has another clip of its identity and one of another
    identity**; the others serve as negatives and are not in the mean. (Released code takes the distance of
    such a clip to itself, which is rounding noise.) Computed in single precision at least, under autocast
    too; two equal clips have the distance 1e-6 and no gradient.

    Args:
        margin: ``None`` is the soft margin.
        normalize: Bring the embeddings to unit length first.
        embedding: Name of the embedding; ``(B, T, D)`` is averaged over time.
    """

    def __init__(
        self, margin: float | None = 0.3, normalize: bool = False, embedding: str = "visual"
    ) -> None:
        super().__init__()
        self.margin, self.normalize, self.embedding = margin, normalize, embedding

    def forward(
        self,
        logits: Mapping[str, Tensor],
        embeddings: Mapping[str, Tensor],
        pids: Tensor,
        facts: ClipFacts = NO_FACTS,
    ) -> LossValue:
        """Return the loss; its details are the mean distances ``positive`` and ``negative``.

        Args:
            logits: Not used.
            embeddings: Has ``embedding``, ``(B, D)`` or ``(B, T, D)``.
            pids: Labels ``(B,)``.
            facts: Not used.

        Raises:
            ValueError: If there is no such embedding, or no clip of the batch counts.
        """
        if self.embedding not in embeddings:
            raise ValueError(
                f"The network gives no embedding {self.embedding!r} for the triplet loss: it has "
                f"{', '.join(embeddings) or 'none'}."
            )
        embedding = embeddings[self.embedding]
        with torch.autocast(embedding.device.type, enabled=False):
            vectors = embedding.to(torch.promote_types(embedding.dtype, torch.float32))
            if vectors.dim() == 3:
                vectors = vectors.mean(1)
            if self.normalize:
                vectors = F.normalize(vectors, dim=1)
            anchors, positives, negatives = hardest(vectors, pids)
            positive = _distances(vectors[anchors], vectors[positives])
            negative = _distances(vectors[anchors], vectors[negatives])
            gap = positive - negative
            value = F.softplus(gap) if self.margin is None else F.relu(gap + self.margin)
        details = {"positive": positive.detach().mean(), "negative": negative.detach().mean()}
        return LossValue(value.mean(), details)


@torch.no_grad()
def hardest(vectors: Tensor, pids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the rows of the clips that count, of their furthest positives and of their nearest negatives.

    Args:
        vectors: ``(B, D)``.
        pids: Labels ``(B,)``.

    Raises:
        ValueError: If no clip has both a positive and a negative.
    """
    # Differences, not products: the choice must not hang on cancellation between nearly equal clips.
    distances = torch.cdist(vectors, vectors, compute_mode="donot_use_mm_for_euclid_dist")
    same = pids[:, None] == pids
    others = same.clone().fill_diagonal_(fill_value=False)
    anchors = (others.any(1) & ~same.all(1)).nonzero().squeeze(1)
    if len(anchors) == 0:
        raise ValueError(
            "No clip of this batch has both a clip of its own and one of another identity, which the triplet "
            "loss compares: set data.sampler=identity with at least 2 identities_per_batch and "
            "2 tracklets_per_identity."
        )
    positives = distances.masked_fill(~others, -1.0).argmax(1)
    negatives = distances.masked_fill(same, torch.inf).argmin(1)
    return anchors, positives[anchors], negatives[anchors]


def _distances(one: Tensor, other: Tensor) -> Tensor:
    # Without the floor the root has an infinite slope at 0.
    return (one - other).square().sum(1).clamp_min(1e-12).sqrt()
