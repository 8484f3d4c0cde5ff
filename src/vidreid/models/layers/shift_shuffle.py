"""Shift and shuffle of patches (TransReID's jigsaw patches; "TCSS" in VID-Trans-ReID and KeyRe-ID)."""

import torch
from torch import Tensor


def shift_shuffle_order(rows: int, shift: int = 5, groups: int = 2) -> Tensor:
    """Return which row stands at each place after shifting and shuffling.

    The released code counts the shift from the [CLS] token, so the ``N`` rows of patches turn by ``shift -
    1``: row ``shift - 1`` comes first. They are then dealt out: cut into ``groups`` runs that are read in
    turns. If the number of rows is no multiple of 2, the last but one of the turned rows is repeated at the
    end.

    For even ``N`` and two groups place ``j`` holds ``(j // 2 + N / 2 * (j mod 2) + shift - 1) mod N``.

    Args:
        rows: ``N``, without [CLS].
        shift: 5 in the released codes.
        groups: Number of runs.

    Returns:
        ``(N,)`` int64, or ``(N + 1,)`` for odd ``N``.

    Raises:
        ValueError: If the rows cannot be dealt out evenly, or the shift is beyond them.
    """
    if not 1 <= shift <= rows:
        raise ValueError(f"shift is {shift}: it must be between 1 and the number of patches, {rows}.")
    turned = torch.arange(rows).roll(1 - shift)
    if rows % 2 == 1:
        turned = torch.cat([turned, turned[-2:-1]])
    if len(turned) % groups:
        raise ValueError(
            f"{len(turned)} patches cannot be dealt out to {groups} groups: choose another number."
        )
    return turned.view(groups, -1).T.reshape(-1)
