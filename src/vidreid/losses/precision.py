"""Losses are computed in single precision at least."""

import torch
from torch import Tensor


def at_least_single(values: Tensor) -> Tensor:
    """Return half precision as float32, and anything wider as it is."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
