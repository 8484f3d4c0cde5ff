"""The batch-hard triplet loss of a global head and heads of parts."""

from collections.abc import Mapping

from torch import Tensor, nn

from vidreid.losses.batch_hard import LoneClips, check_lone_clips, check_pairs, gap_loss, hard_distances
from vidreid.losses.branches import by_head, check_weight, mix_branches
from vidreid.losses.value import NO_FACTS, ClipFacts, LossValue


class BranchTripletLoss(nn.Module):
    """The triplet loss of every head: the global one against the mean of the others, as KeyRe-ID weighs them.

    Each head has positives and negatives of its own, among the clips that show its part. A head of which no
    clip counts is left out of the mean. Otherwise as ``TripletLoss``; KeyRe-ID, VID-Trans-ReID and TransReID
    use the soft margin on embeddings of any length.

    Args:
        margin: ``None`` is the soft margin.
        normalize: Bring the embeddings to unit length first.
        global_weight: Share of the global head.
        lone_clips: As of ``TripletLoss``.

    Raises:
        ValueError: For an unknown choice.
    """

    compares_clips = True

    def __init__(
        self,
        margin: float | None = None,
        normalize: bool = False,
        global_weight: float = 0.75,
        lone_clips: LoneClips = "skip",
    ) -> None:
        super().__init__()
        self.margin, self.normalize = margin, normalize
        self.global_weight = check_weight(global_weight)
        self.lone_clips: LoneClips = check_lone_clips(lone_clips)

    def forward(
        self,
        logits: Mapping[str, Tensor],
        embeddings: Mapping[str, Tensor],
        pids: Tensor,
        facts: ClipFacts = NO_FACTS,
    ) -> LossValue:
        """Return the loss and its part of every head that counts.

        Args:
            logits: Not used.
            embeddings: ``(B, D)`` or ``(B, T, D)`` a head.
            pids: Labels ``(B,)``.
            facts: ``visible`` is read.

        Raises:
            ValueError: If there is no embedding, or no clip of the batch counts even where all parts show.
        """
        if not embeddings:
            raise ValueError("The network gives no embedding: the triplet loss needs at least one.")
        check_pairs(pids, self.lone_clips)
        values, zero = by_head(embeddings, pids, facts.visible, self._head)
        value = mix_branches(values, self.global_weight) + zero if values else zero
        return LossValue(value, {name: head.detach() for name, head in values.items()})

    def _head(self, name: str, rows: Tensor, pids: Tensor) -> Tensor | None:
        positive, negative = hard_distances(rows, pids, self.normalize, self.lone_clips)
        return gap_loss(positive, negative, self.margin) if len(positive) else None
