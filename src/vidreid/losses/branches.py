"""What KeyRe-ID, VID-Trans-ReID and TransReID share: a global head weighed against heads of parts."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

GLOBAL = "global"
"""Name of the head of the whole body; every other head is one of a part."""

HeadLoss = Callable[[str, Tensor, Tensor], Tensor | None]


def mix_branches(values: Mapping[str, Tensor], global_weight: float = 0.75) -> Tensor:
    """Return ``w * global + (1 - w) * mean(parts)``: equations 9 to 11 of KeyRe-ID, in its released code too.

    Without parts the whole weight goes to the global head, without a global head all of it to the parts.

    Args:
        values: A scalar a head, at least one.
        global_weight: ``w``, in the KeyRe-ID paper alpha.

    Raises:
        ValueError: If there is no head.
    """
    parts = [value for name, value in values.items() if name != GLOBAL]
    if not parts:
        if GLOBAL not in values:
            raise ValueError("There is no head to weigh: neither global nor any part.")
        return values[GLOBAL]
    mean = torch.stack(parts).mean()
    return global_weight * values[GLOBAL] + (1 - global_weight) * mean if GLOBAL in values else mean


def by_head(
    heads: Mapping[str, Tensor], pids: Tensor, visible: Mapping[str, Tensor], loss: HeadLoss
) -> tuple[dict[str, Tensor], Tensor]:
    """Return the loss of every head that counts, and a 0 to add to their sum or mean.

    The 0 hangs on the graph of the heads that do not count: their parameters get a gradient of zeros, as
    training on several devices wants. It is the sum of an empty slice, so that not even an infinite number of
    a part that nobody sees gets through.

    Args:
        heads: Logits or embeddings, ``(B, ...)`` each.
        pids: Labels ``(B,)``.
        visible: By the name of a head, ``(B,)`` bool: the clips that count; all where it is not named.
        loss: Called with the name, the rows and the labels of the clips that count, at least one; gives a
            scalar, or ``None`` if the head does not count with these clips.
    """
    values: dict[str, Tensor] = {}
    zero = torch.zeros((), device=pids.device)
    for name, rows in heads.items():
        shows = visible.get(name)
        if shows is None:
            value = loss(name, rows, pids)
        else:
            value = loss(name, rows[shows], pids[shows]) if shows.any() else None
        if value is None:
            zero = zero + rows.flatten()[:0].sum()
        else:
            values[name] = value
    return values, zero


def check_weight(global_weight: float) -> float:
    """Return the weight of the global head.

    Raises:
        ValueError: If it is not in [0, 1].
    """
    if not 0 <= global_weight <= 1:
        raise ValueError(f"global_weight is a share between 0 and 1, not {global_weight}.")
    return global_weight
