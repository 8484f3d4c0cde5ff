"""Triplet loss with the hardest positive and negative of a batch (Hermans et al., 2017)."""

from collections.abc import Mapping

from torch import Tensor, nn

from vidreid.losses.batch_hard import LoneClips, check_lone_clips, check_pairs, gap_loss, hard_distances
from vidreid.losses.branches import by_head
from vidreid.losses.value import NO_FACTS, ClipFacts, LossValue


class TripletLoss(nn.Module):
    """Mean over the clips of a batch of ``max(0, d_p - d_n + margin)``, or of ``log(1 + exp(d_p - d_n))``.

    ``d_p`` is the Euclidean distance to the furthest clip of the same identity, ``d_n`` that to the nearest
    of another. **A clip counts only if the batch has another clip of its identity and one of another
    identity**; the others serve as negatives and are not in the mean. Computed in single precision at least,
    under autocast too; two equal clips have the distance 1e-6 and no gradient. Of a head whose part does not
    show in some clips, only the clips that show it are anchors, positives and negatives.

    Args:
        margin: ``None`` is the soft margin.
        normalize: Bring the embeddings to unit length first.
        embedding: Name of the embedding; ``(B, T, D)`` is averaged over time.
        lone_clips: ``count``: every clip counts, as in released code. The furthest positive may be the clip
            itself, at the distance 1e-6, and without any negative ``d_n`` is 1e5.

    Raises:
        ValueError: For an unknown choice.
    """

    compares_clips = True

    def __init__(
        self,
        margin: float | None = 0.3,
        normalize: bool = False,
        embedding: str = "visual",
        lone_clips: LoneClips = "skip",
    ) -> None:
        super().__init__()
        self.margin, self.normalize, self.embedding = margin, normalize, embedding
        self.lone_clips: LoneClips = check_lone_clips(lone_clips)

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
            facts: ``visible`` is read.

        Raises:
            ValueError: If there is no such embedding, or no clip of the batch counts.
        """
        if self.embedding not in embeddings:
            raise ValueError(
                f"The network gives no embedding {self.embedding!r} for the triplet loss: it has "
                f"{', '.join(embeddings) or 'none'}."
            )
        check_pairs(pids, self.lone_clips)
        details: dict[str, Tensor] = {}

        def loss(name: str, rows: Tensor, labels: Tensor) -> Tensor | None:
            positive, negative = hard_distances(rows, labels, self.normalize, self.lone_clips)
            if len(positive) == 0:
                return None
            details["positive"], details["negative"] = positive.detach().mean(), negative.detach().mean()
            return gap_loss(positive, negative, self.margin)

        only = {self.embedding: embeddings[self.embedding]}
        values, zero = by_head(only, pids, facts.visible, loss)
        return LossValue(values.get(self.embedding, zero), details)
