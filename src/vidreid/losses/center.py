"""Center loss (Wen et al., 2016) of a global head and heads of parts."""

from collections.abc import Mapping
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidreid.losses.branches import GLOBAL, by_head, check_weight, mix_branches
from vidreid.losses.precision import at_least_single
from vidreid.losses.value import NO_FACTS, ClipFacts, LossValue

Trained = Literal["both", "global"]


class CenterLoss(nn.Module):
    """Batch mean of the squared distance of an embedding to the centre of its identity.

    ``mean_b clamp(||f_b - c_y||^2, 1e-12, 1e12)`` of every head, the global one against the mean of the
    others (L_center in equations 10 and 11 of KeyRe-ID). The global head has a table of centres of its own,
    all parts share another, both drawn from N(0, 1). Computed in single precision at least, under autocast
    too. A head counts only for clips in which its part shows; one that shows in none is left out of the mean.

    The released code of KeyRe-ID and VID-Trans-ReID gives no optimiser the centres of the parts: they stay
    random, and the parts are pulled towards random points. ``trained="global"`` is that; the table is part of
    checkpoints all the same.

    Args:
        num_identities: C.
        global_size: Size of the global embedding; 0: no such table, and the head is left out.
        part_size: Size of a part's embedding; 0: no such table, and the parts are left out, so that the
            whole weight goes to the global head.
        global_weight: Share of the global head.
        trained: Which tables learn.

    Attributes:
        global_centers: ``(C, global_size)`` or ``None``.
        part_centers: ``(C, part_size)`` or ``None``.

    Raises:
        ValueError: For an unknown choice, or if there is no table at all.
    """

    def __init__(
        self,
        num_identities: int,
        global_size: int,
        part_size: int,
        global_weight: float = 0.75,
        trained: Trained = "both",
    ) -> None:
        super().__init__()
        if trained not in get_args(Trained):
            raise ValueError(f"Unknown choice {trained!r} of trained centres: choose both or global.")
        if not global_size and not part_size:
            raise ValueError("A center loss needs centres: give global_size, part_size or both.")
        self.global_weight = check_weight(global_weight)
        self.global_centers = _table(num_identities, global_size, trained=True)
        self.part_centers = _table(num_identities, part_size, trained=trained == "both")

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
            embeddings: ``(B, D)`` a head.
            pids: Labels ``(B,)`` in ``0..C-1``.
            facts: ``visible`` is read.

        Raises:
            ValueError: If no embedding has a table, or one has another size than its table.
        """
        heads = {name: rows for name, rows in embeddings.items() if self._centers(name) is not None}
        if not heads:
            raise ValueError(
                "No embedding of the network has a table of centres: it gives "
                f"{', '.join(embeddings) or 'none'}; set global_size for global and part_size for others."
            )
        values, zero = by_head(heads, pids, facts.visible, self._head)
        value = mix_branches(values, self.global_weight) + zero if values else zero
        return LossValue(value, {name: head.detach() for name, head in values.items()})

    def _centers(self, name: str) -> nn.Parameter | None:
        return self.global_centers if name == GLOBAL else self.part_centers

    def _head(self, name: str, rows: Tensor, pids: Tensor) -> Tensor:
        centers = self._centers(name)
        assert centers is not None
        if rows.shape[1:] != centers.shape[1:]:
            size = "global_size" if name == GLOBAL else "part_size"
            raise ValueError(
                f"The embedding {name!r} has the shape {tuple(rows.shape)}, its centres "
                f"{tuple(centers.shape)}: set {size} of the center loss to its size."
            )
        with torch.autocast(rows.device.type, enabled=False):
            away = at_least_single(rows) - F.embedding(pids, centers)
            return away.square().sum(1).clamp(1e-12, 1e12).mean()


def _table(rows: int, size: int, trained: bool) -> nn.Parameter | None:
    return nn.Parameter(torch.randn(rows, size), requires_grad=trained) if size else None
