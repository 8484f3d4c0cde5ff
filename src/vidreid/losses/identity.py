"""Identity classification: cross-entropy with smoothed labels over all heads."""

from collections.abc import Mapping
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidreid.losses.branches import by_head, check_weight, mix_branches
from vidreid.losses.precision import at_least_single
from vidreid.losses.value import NO_FACTS, ClipFacts, LossValue

Heads = Literal["all", "visual", "graph"]
Reduction = Literal["mean", "sum", "branches"]


class IdentityLoss(nn.Module):
    """Label-smoothed cross-entropy of every head, put together over the heads.

    The target is ``(1 - smoothing) * onehot + smoothing / C``. Frame-wise logits ``(B, T, C)`` use the label
    of their clip for each frame. A head counts only for clips in which its part shows; one that shows in none
    adds 0 and is left out of the mean over the heads.

    Args:
        smoothing: Share of the target that is spread over all classes.
        reduction: ``mean`` (released KMPNet) or ``sum`` (MGH, layumi's PCB) over the heads, or ``branches``:
            the global head against the mean of the others (KeyRe-ID, VID-Trans-ReID, TransReID).
        heads: ``graph`` are the heads whose names begin with ``graph_``, ``visual`` all others.
        global_weight: Share of the global head, for ``branches``.

    Raises:
        ValueError: For an unknown choice.
    """

    def __init__(
        self,
        smoothing: float = 0.1,
        reduction: Reduction = "mean",
        heads: Heads = "all",
        global_weight: float = 0.75,
    ) -> None:
        super().__init__()
        if reduction not in get_args(Reduction):
            raise ValueError(
                f"Unknown reduction {reduction!r} over the heads: choose mean or sum, or branches for "
                "networks with a global head and heads of parts."
            )
        if heads not in get_args(Heads):
            raise ValueError(f"Unknown heads {heads!r} for the identity loss: choose all, visual or graph.")
        self.smoothing = smoothing
        self.reduction: Reduction = reduction
        self.heads: Heads = heads
        self.global_weight = check_weight(global_weight)

    def forward(
        self,
        logits: Mapping[str, Tensor],
        embeddings: Mapping[str, Tensor],
        pids: Tensor,
        facts: ClipFacts = NO_FACTS,
    ) -> LossValue:
        """Return the loss and its part of every head that counts.

        Args:
            logits: ``(B, C)`` or ``(B, T, C)`` a head.
            embeddings: Not used.
            pids: Labels ``(B,)`` in ``0..C-1``.
            facts: ``visible`` is read.

        Raises:
            ValueError: If there are no logits of these heads.
        """
        wanted = {name: logit for name, logit in logits.items() if self._reads(name)}
        if not wanted:
            kind = "" if self.heads == "all" else f"{self.heads} "
            raise ValueError(
                f"The network gave no {kind}logits: the identity loss with heads={self.heads} needs at "
                f"least one classifier among {', '.join(logits) or 'none'}."
            )
        values, zero = by_head(wanted, pids, facts.visible, self._head)
        value = self._reduce(values) + zero if values else zero
        return LossValue(value, {name: head.detach() for name, head in values.items()})

    def _reads(self, name: str) -> bool:
        return self.heads == "all" or name.startswith("graph_") == (self.heads == "graph")

    def _head(self, name: str, logit: Tensor, pids: Tensor) -> Tensor:
        labels = pids
        if logit.dim() == 3:
            labels = pids.repeat_interleave(logit.shape[1])
            logit = logit.flatten(0, 1)
        return F.cross_entropy(at_least_single(logit), labels, label_smoothing=self.smoothing)

    def _reduce(self, values: Mapping[str, Tensor]) -> Tensor:
        if self.reduction == "branches":
            return mix_branches(values, self.global_weight)
        stacked = torch.stack(list(values.values()))
        return stacked.mean() if self.reduction == "mean" else stacked.sum()
