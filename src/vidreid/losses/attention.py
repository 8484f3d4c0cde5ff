"""Temporal attention away from frames in which a rectangle was erased (Pathak et al., 2020)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vidreid.losses.precision import at_least_single
from vidreid.losses.value import NO_FACTS, ClipFacts, LossValue


class FrameAttentionLoss(nn.Module):
    """Mean over clips of the sum over frames of ``score * erased``: L_attn in equation 10 of KeyRe-ID.

    Pathak et al., "Video Person Re-ID: Fantastic Techniques and Where to Find Them", and the released code of
    VID-Trans-ReID and KeyRe-ID take the raw scores, after the ReLU and before the softmax. Those have a
    trivial optimum: scores of 0 in all frames, which means uniform attention and no loss.

    Args:
        normalized: Take the softmax of the scores over the frames instead, whose sum is 1: attention can then
            only go elsewhere. A clip with all frames erased costs 1 and teaches nothing.
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
        """Return the loss; its details are the mean scores of ``erased`` and of ``whole`` frames, if any.

        Args:
            logits: Not used.
            embeddings: Not used.
            pids: Not used.
            facts: ``frame_scores`` and ``erased`` are read.

        Raises:
            ValueError: If the network gives no scores, or the data no word on erased frames.
        """
        if facts.frame_scores is None or facts.erased is None:
            missing = [
                *(["a network with temporal attention"] if facts.frame_scores is None else []),
                *(["data.erase_per_frame=true"] if facts.erased is None else []),
            ]
            raise ValueError(
                "The attention loss compares scores of frames with the frames that were erased: choose "
                f"{' and '.join(missing)}, or leave the loss out "
                "(~loss.terms.attention ~loss.weights.attention)."
            )
        with torch.autocast(facts.frame_scores.device.type, enabled=False):
            scores = at_least_single(facts.frame_scores)
            if self.normalized:
                scores = scores.softmax(1)
            value = (scores * facts.erased).sum(1).mean()
        seen = {"erased": scores.detach()[facts.erased], "whole": scores.detach()[~facts.erased]}
        return LossValue(value, {name: some.mean() for name, some in seen.items() if len(some)})
