"""Center loss (Wen et al., ECCV 2016) over the branches of a network with parts."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from vidreid.losses.branches import GLOBAL, mix_branches, of_visible, single_precision
from vidreid.losses.value import NO_FACTS, ClipFacts, LossValue

Trained = Literal["both", "global"]


class CenterLoss(nn.Module):
    """Mean over a batch of the squared distance of a vector to the centre of its identity.

    One table of centres for the global vector, and one that all parts share. The release gives only the
    global table to an optimiser: its parts are pulled towards the random places where their centres began.
    Computed in float32 under autocast too; squared distances are kept within 1e-12 and 1e12.

    Args:
        num_identities: ``C``.
        global_size: Width of the global vector; 0 without one.
        part_size: Width of a part's vector; 0 without parts.
        trained: ``both`` tables, or the ``global`` one as released.
        global_weight: Weight of the global branch, see ``mix_branches``.

    Raises:
        ValueError: If there is no such choice.
    """

    def __init__(
        self,
        num_identities: int,
        global_size: int,
        part_size: int,
        trained: Trained = "both",
        global_weight: float = 0.75,
    ) -> None:
        super().__init__()
        if trained not in ("both", "global"):
            raise ValueError(f"Unknown choice {trained!r} of trained centres: choose both or global.")
        self.global_weight = global_weight
        self.centers_global = nn.Parameter(torch.randn(num_identities, global_size))
        self.centers_parts = nn.Parameter(torch.randn(num_identities, part_size))
        self.centers_global.requires_grad = global_size > 0
        self.centers_parts.requires_grad = trained == "both" and part_size > 0

    def forward(
        self,
        logits: Mapping[str, Tensor],
        embeddings: Mapping[str, Tensor],
        pids: Tensor,
        facts: ClipFacts = NO_FACTS,
    ) -> LossValue:
        """Return the loss of all branches and, as details, of every head.

        Args:
            logits: Its names say which embeddings are heads.
            embeddings: ``(B, D)`` a head.
            pids: Labels ``(B,)``.
            facts: Clips in which a part does not show are left out of its mean.

        Raises:
            ValueError: If a vector is not as wide as its table.
        """
        values: dict[str, Tensor] = {}
        for name in logits:
            vectors, labels = of_visible(facts.visible, name, embeddings[name], pids)
            if len(labels):
                values[name] = self._head(name, vectors, labels)
        value = mix_branches(values, self.global_weight)
        return LossValue(value, {name: head.detach() for name, head in values.items()})

    def _head(self, name: str, vectors: Tensor, labels: Tensor) -> Tensor:
        table = self.centers_global if name == GLOBAL else self.centers_parts
        if vectors.shape[1] != table.shape[1]:
            raise ValueError(
                f"The vector of {name} is {vectors.shape[1]} wide and its table of centres "
                f"{table.shape[1]}: set global_size and part_size of the center loss to the widths of the "
                "network's vectors."
            )
        with torch.autocast(vectors.device.type, enabled=False):
            gaps = single_precision(vectors) - table[labels]
            return gaps.square().sum(1).clamp(1e-12, 1e12).mean()
