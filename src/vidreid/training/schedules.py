"""Learning rate schedules, stepped every batch, pure functions of the step.

All are ``LambdaLR``: a checkpoint needs to hold nothing but the step, and a resumed run goes on exactly.
Groups of an optimiser that are marked ``scheduled=False``, such as centres of a loss, keep their rate.
"""

import math
from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def step_decay(
    optimizer: Optimizer,
    steps_per_epoch: int,
    epochs: int,
    *,
    every_epochs: int = 20,
    factor: float = 0.1,
    warmup_epochs: int = 0,
    warmup_from: float | None = None,
) -> LambdaLR:
    """Multiply the rate by ``factor`` every ``every_epochs`` epochs (the released KMPNet and MGH).

    Args:
        optimizer: Whose rates are scheduled.
        steps_per_epoch: Batches an epoch.
        epochs: Unused; part of the common signature of schedules.
        every_epochs: Epochs between two steps down.
        factor: What the rate is multiplied with.
        warmup_epochs: Epochs of linear growth at the start.
        warmup_from: ``None``: growth from zero, a little every batch. A share ``s``: by one stair an epoch,
            ``s (1 - a) + a`` with ``a = (epoch + 1) / warmup_epochs``, as the released MGH.
    """
    warmup = warmup_epochs * steps_per_epoch

    def rate(step: int) -> float:
        epoch = step // steps_per_epoch
        if warmup_from is None:
            warm = _warm(step, warmup)
        else:
            grown = min((epoch + 1) / max(warmup_epochs, 1), 1.0)
            warm = warmup_from * (1 - grown) + grown
        return warm * factor ** (epoch // every_epochs)

    return _schedule(optimizer, lambda base: rate)


def warmup_cosine(
    optimizer: Optimizer,
    steps_per_epoch: int,
    epochs: int,
    *,
    warmup_epochs: float = 1.0,
    floor: float = 0.01,
) -> LambdaLR:
    """Grow the rate linearly, then let it fall along half a cosine to ``floor`` of its height.

    Args:
        optimizer: Whose rates are scheduled.
        steps_per_epoch: Batches an epoch.
        epochs: Length of the training.
        warmup_epochs: Epochs of linear growth.
        floor: Final rate as a share of the highest.
    """
    warmup = int(warmup_epochs * steps_per_epoch)
    fall = max(epochs * steps_per_epoch - warmup, 1)

    def rate(step: int) -> float:
        progress = min(max(step - warmup, 0) / fall, 1.0)
        return _warm(step, warmup) * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress)))

    return _schedule(optimizer, lambda base: rate)


def released_cosine(
    optimizer: Optimizer,
    steps_per_epoch: int,
    epochs: int,
    *,
    warmup_epochs: int = 5,
    start: float = 8e-5,
    floor: float = 1.6e-5,
) -> LambdaLR:
    """Schedule epochs as TransReID, VID-Trans-ReID and KeyRe-ID do in their released code.

    Epochs count from 1, and the rate changes between epochs only; see ``released_cosine_rate``.

    Args:
        optimizer: Whose rates are scheduled.
        steps_per_epoch: Batches an epoch.
        epochs: Length of the training.
        warmup_epochs: As ``warmup`` of ``released_cosine_rate``.
        start: A rate, the same for all groups.
        floor: A rate, the same for all groups.
    """

    def scheduled(base: float) -> Callable[[int], float]:
        def rate(step: int) -> float:
            epoch = step // steps_per_epoch + 1
            # A rate of 0 has no multiple but itself.
            return (
                released_cosine_rate(epoch, base, epochs, warmup_epochs, start, floor) / base if base else 0.0
            )

        return rate

    return _schedule(optimizer, scheduled)


def released_cosine_rate(
    epoch: int,
    base: float,
    epochs: int = 120,
    warmup: int = 5,
    start: float = 8e-5,
    floor: float = 1.6e-5,
) -> float:
    """Return the rate of an epoch: growth from ``start`` in a line, then half a cosine down to ``floor``.

    ``start + e (base - start) / warmup`` while ``e < warmup``, after that ``floor + (base - floor)
    (1 + cos(pi e / epochs)) / 2``. The line does not meet the cosine, which counts from the first epoch; and
    as all groups share ``start`` and ``floor``, their rates do not stay in proportion.

    Args:
        epoch: ``e``; the first of a training is 1.
        base: The group's own rate.
        epochs: Length of the training; after it the rate stays.
        warmup: Epochs of growth, the last of which is on the cosine already.
        start: Rate of epoch 0, before the training.
        floor: Rate of the last epoch.
    """
    if epoch < warmup:
        return start + epoch * (base - start) / warmup
    return floor + 0.5 * (base - floor) * (1 + math.cos(math.pi * min(epoch, epochs) / epochs))


def constant(optimizer: Optimizer, steps_per_epoch: int, epochs: int) -> LambdaLR:
    """Leave the rate as it is.

    Args:
        optimizer: Whose rates are scheduled.
        steps_per_epoch: Unused; part of the common signature of schedules.
        epochs: Unused; part of the common signature of schedules.
    """
    return _schedule(optimizer, lambda base: _still)


def _warm(step: int, warmup: int) -> float:
    return min((step + 1) / (warmup + 1), 1.0)


def _still(step: int) -> float:
    return 1.0


def _schedule(optimizer: Optimizer, rate: Callable[[float], Callable[[int], float]]) -> LambdaLR:
    """Schedule every group by its base rate, unless it is marked as not scheduled."""
    return LambdaLR(
        optimizer,
        [
            rate(group.get("initial_lr", group["lr"])) if group.get("scheduled", True) else _still
            for group in optimizer.param_groups
        ],
    )
