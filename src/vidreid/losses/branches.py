"""Weighing the global branch against the parts (KeyRe-ID, Eqs. 9 to 11)."""

from collections.abc import Mapping

import torch
from torch import Tensor

GLOBAL = "global"
"""Name of the head of the global branch; every other head is a part."""


def mix_branches(values: Mapping[str, Tensor], global_weight: float = 0.75) -> Tensor:
    """Return ``w * global + (1 - w) * mean(parts)``.

    If only one of the two branches is there, it has the whole weight.

    Args:
        values: A scalar a head.
        global_weight: ``w``, alpha of Eq. 9.

    Raises:
        ValueError: If there is no head.
    """
    parts = [value for name, value in values.items() if name != GLOBAL]
    if not values:
        raise ValueError("There is no head whose loss could be weighed.")
    if GLOBAL not in values:
        return torch.stack(parts).mean()
    if not parts:
        return values[GLOBAL]
    return global_weight * values[GLOBAL] + (1 - global_weight) * torch.stack(parts).mean()


def of_visible(visible: Mapping[str, Tensor], name: str, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the rows of clips in which the body part of a head shows; all rows for a head that always does.

    Args:
        visible: By the name of a head, ``(B,)`` bool.
        name: The head.
        tensors: ``(B, ...)`` each.
    """
    if name not in visible:
        return tensors
    return tuple(tensor[visible[name]] for tensor in tensors)


def single_precision(vectors: Tensor) -> Tensor:
    """Return vectors in float32 at least: distances in half precision are noise."""
    return vectors.to(torch.promote_types(vectors.dtype, torch.float32))
