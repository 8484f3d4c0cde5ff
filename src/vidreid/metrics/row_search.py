"""How many values of its row each wanted value exceeds."""

import torch
from torch import Tensor


def count_below(ordered: Tensor, rows: Tensor, values: Tensor, or_equal: bool = False) -> Tensor:
    """Count the values of a row that are smaller than a given one.

    Rows may have any number of wanted values, which ``torch.searchsorted`` allows only if all rows are filled
    up to the longest.

    Args:
        ordered: ``(n, w)``, every row ascending.
        rows: ``(m,)`` int64, the row of each wanted value.
        values: ``(m,)``.
        or_equal: Count equal values too.

    Returns:
        ``(m,)`` int64.
    """
    width = ordered.shape[1]
    flat, before = ordered.reshape(-1), rows * width - 1
    # Places of the last values known to be smaller, and of the row's last.
    found, last = before, before + width
    step = 1 << (width.bit_length() - 1) if width else 0
    while step:
        reach = found + step
        probe = flat.index_select(0, torch.minimum(reach, last))
        smaller = probe <= values if or_equal else probe < values
        found = torch.where(smaller & (reach <= last), reach, found)
        step >>= 1
    return found - before
