"""A loss recipe: named terms and their weights."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vidreid.losses.value import NO_FACTS, ClipFacts, LossValue


class LossRecipe(nn.Module):
    """Weighted sum of loss terms.

    Args:
        terms: Modules by name, each called as a ``LossTerm``.
        weights: Weight by name; a term that is not named weighs 1.

    Raises:
        ValueError: If there is no term, or a weight for no term.
    """

    def __init__(self, terms: Mapping[str, nn.Module], weights: Mapping[str, float] | None = None) -> None:
        super().__init__()
        if not terms:
            raise ValueError("A loss recipe needs at least one term.")
        unknown = sorted(set(weights or {}) - set(terms))
        if unknown:
            raise ValueError(
                f"Weights for unknown loss terms {', '.join(unknown)}: the terms are {', '.join(terms)}."
            )
        self.terms = nn.ModuleDict(dict(terms))
        self.weights = dict.fromkeys(terms, 1.0) | dict(weights or {})

    @property
    def compares_clips(self) -> bool:
        """Whether a term that counts compares clips with each other, as the triplet losses do."""
        return any(
            self.weights[name] != 0 and getattr(term, "compares_clips", False)
            for name, term in self.terms.items()
        )

    def forward(
        self,
        logits: Mapping[str, Tensor],
        embeddings: Mapping[str, Tensor],
        pids: Tensor,
        facts: ClipFacts = NO_FACTS,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted total and, detached, ``term`` and ``term/detail`` for the log (not weighted).

        Args:
            logits: Named logits of the network.
            embeddings: Named embeddings of the network.
            pids: Labels ``(B,)``.
            facts: What else is known of the clips.
        """
        weighted: list[Tensor] = []
        log: dict[str, Tensor] = {}
        for name, term in self.terms.items():
            result: LossValue = term(logits, embeddings, pids, facts)
            weighted.append(self.weights[name] * result.value)
            log[name] = result.value.detach()
            log |= {f"{name}/{detail}": value for detail, value in result.details.items()}
        return torch.stack(weighted).sum(), log
