"""Identity classification: cross-entropy with smoothed labels over all heads."""

from collections.abc import Mapping
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidreid.losses.branches import mix_branches, of_visible
from vidreid.losses.value import NO_FACTS, ClipFacts, LossValue

Heads = Literal["all", "visual", "graph"]


class IdentityLoss(nn.Module):
    """Label-smoothed cross-entropy of every head, their mean (released KMPNet) or sum (MGH, layumi's PCB).

    The target is ``(1 - smoothing) * onehot + smoothing / C``. Frame-wise logits ``(B, T, C)`` use the label
    of their clip for each frame.

    Args:
        smoothing: Share of the target that is spread over all classes.
        reduction: ``mean`` or ``sum`` over the heads, or ``branches``: the global head against the mean of
            the parts, see ``mix_branches``.
        global_weight: Weight of the global head under ``branches``.
        heads: ``graph`` are the heads whose names begin with ``graph_``, ``visual`` all others.

    Raises:
        ValueError: For an unknown choice.
    """

    def __init__(
        self,
        smoothing: float = 0.1,
        reduction: Literal["mean", "sum", "branches"] = "mean",
        heads: Heads = "all",
        global_weight: float = 0.75,
    ) -> None:
        super().__init__()
        if reduction not in ("mean", "sum", "branches"):
            raise ValueError(f"Unknown reduction {reduction!r} over the heads: choose mean, sum or branches.")
        if heads not in get_args(Heads):
            raise ValueError(f"Unknown heads {heads!r} for the identity loss: choose all, visual or graph.")
        self.smoothing = smoothing
        self.reduction = reduction
        self.global_weight = global_weight
        self.heads: Heads = heads

    def forward(
        self,
        logits: Mapping[str, Tensor],
        embeddings: Mapping[str, Tensor],
        pids: Tensor,
        facts: ClipFacts = NO_FACTS,
    ) -> LossValue:
        """Return the loss and its part of every head.

        Args:
            logits: ``(B, C)`` or ``(B, T, C)`` a head.
            embeddings: Not used.
            pids: Labels ``(B,)`` in ``0..C-1``.
            facts: Clips in which a part does not show are left out of its head's mean; a part that shows in
                none is left out altogether.

        Raises:
            ValueError: If there are no logits of these heads.
        """
        heads: dict[str, Tensor] = {}
        for name, logit in logits.items():
            own, labels = of_visible(facts.visible, name, logit, pids)
            if self._reads(name) and len(labels):
                heads[name] = self._head(own, labels)
        if not heads:
            wanted = "" if self.heads == "all" else f"{self.heads} "
            raise ValueError(
                f"The network gave no {wanted}logits: the identity loss with heads={self.heads} needs at "
                f"least one classifier among {', '.join(logits) or 'none'}."
            )
        if self.reduction == "branches":
            value = mix_branches(heads, self.global_weight)
        else:
            values = torch.stack(list(heads.values()))
            value = values.mean() if self.reduction == "mean" else values.sum()
        return LossValue(value, {name: head.detach() for name, head in heads.items()})

    def _reads(self, name: str) -> bool:
        return self.heads == "all" or name.startswith("graph_") == (self.heads == "graph")

    def _head(self, logit: Tensor, pids: Tensor) -> Tensor:
        labels = pids
        if logit.dim() == 3:
            labels = pids.repeat_interleave(logit.shape[1])
            logit = logit.flatten(0, 1)
        return F.cross_entropy(logit, labels, label_smoothing=self.smoothing)
