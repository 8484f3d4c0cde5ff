"""Attention regularisation: do not look at frames in which something was erased (Pathak et al., AAAI
2020)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vidreid.losses.value import NO_FACTS, ClipFacts, LossValue


class FrameAttentionLoss(nn.Module):
    """Mean over clips of ``sum_t a_t e_t``: the attention ``a`` of frames, ``e`` whether they were erased in.

    As released, ``a`` are the raw scores after their ReLU and before the softmax. All scores at zero, which
    is uniform attention, make this loss zero too; ``normalized`` takes the softmaxed scores, which cannot
    escape so.

    Args:
        normalized: Take the scores after the softmax.
    """

    def __init__(self, normalized: bool = False) -> None:
        super().__init__()
        self.normalized = normalized

    def forward(
        self,
        logits: Mapping[str, Tensor],
        embeddings: Mapping[str, Tensor],
        pids: Tensor,
        facts: ClipFacts = NO_FACTS,
    ) -> LossValue:
        """Return the loss; its detail is the share of frames ``erased``.

        Args:
            logits: Not used.
            embeddings: Not used.
            pids: Not used.
            facts: Has ``frame_scores`` and ``erased``, both ``(B, T)``.

        Raises:
            ValueError: If one of them is missing.
        """
        if facts.frame_scores is None:
            raise ValueError(
                "The network has no temporal attention, which the attention loss needs: remove the term "
                "from the recipe (~loss.terms.attention), or keep the global branch."
            )
        if facts.erased is None:
            raise ValueError(
                "The batch does not say in which frames something was erased, which the attention loss "
                "needs: train with the library's own loaders, or remove the term from the recipe."
            )
        scores = facts.frame_scores.float()
        if self.normalized:
            scores = scores.softmax(dim=1)
        erased = facts.erased.to(scores.dtype)
        return LossValue((scores * erased).sum(1).mean(), {"erased": torch.mean(erased)})
