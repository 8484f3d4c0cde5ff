"""Learning rate schedules, stepped every batch, pure functions of the step.

All are ``LambdaLR``: a checkpoint needs to hold nothing but the step, and a resumed run goes on exactly.
Parameter groups with ``scheduled: False`` keep their rate.
"""

import math
from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from vidreid.training.optimizers import SCHEDULED


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

    return _scheduled(optimizer, lambda base: rate)


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

    return _scheduled(optimizer, lambda base: rate)


def released_cosine(
    optimizer: Optimizer,
    steps_per_epoch: int,
    epochs: int,
    *,
    warmup_epochs: int = 5,
    start: float = 8e-5,
    floor: float = 1.6e-5,
) -> LambdaLR:
    """Let the rate of every group follow ``released_cosine_rate``, a new one each epoch, the first being 1.

    Args:
        optimizer: Whose rates are scheduled; each group's own rate is its base.
        steps_per_epoch: Batches an epoch.
        epochs: Length of the training.
        warmup_epochs: Epochs of linear growth.
        start: Where growth starts, for all groups.
        floor: Where the fall ends, for all groups.
    """

    def of_group(base: float) -> Callable[[int], float]:
        def rate(step: int) -> float:
            epoch = min(step // steps_per_epoch + 1, epochs)
            return released_cosine_rate(epoch, base, epochs, warmup_epochs, start, floor) / base

        return rate

    return _scheduled(optimizer, of_group)


def released_cosine_rate(
    epoch: int,
    base: float,
    epochs: int = 120,
    warmup_epochs: int = 5,
    start: float = 8e-5,
    floor: float = 1.6e-5,
) -> float:
    """Return the rate of an epoch in the released TransReID, VID-Trans-ReID and KeyRe-ID.

    Start and floor are absolute, so that a group with twice the base rate has not twice the rate. After the
    growth it goes on where a cosine over the whole training would be, a little below the base.

    Args:
        epoch: 1 for the first.
        base: Rate of the group.
        epochs: Length of the training.
        warmup_epochs: Epochs of linear growth.
        start: Rate of epoch 0.
        floor: Rate of the last epoch.
    """
    if epoch < warmup_epochs:
        return start + epoch * (base - start) / warmup_epochs
    return floor + 0.5 * (base - floor) * (1 + math.cos(math.pi * epoch / epochs))


def constant(optimizer: Optimizer, steps_per_epoch: int, epochs: int) -> LambdaLR:
    """Leave the rate as it is.

    Args:
        optimizer: Whose rates are scheduled.
        steps_per_epoch: Unused; part of the common signature of schedules.
        epochs: Unused; part of the common signature of schedules.
    """
    return _scheduled(optimizer, lambda base: lambda step: 1.0)


def _warm(step: int, warmup: int) -> float:
    return min((step + 1) / (warmup + 1), 1.0)


def _scheduled(optimizer: Optimizer, of_group: Callable[[float], Callable[[int], float]]) -> LambdaLR:
    """Return a schedule whose multiplier follows from each group's base rate, 1 for those that keep
    theirs."""
    return LambdaLR(
        optimizer,
        [
            of_group(group.get("initial_lr", group["lr"])) if group.get(SCHEDULED, True) else _one
            for group in optimizer.param_groups
        ],
    )


def _one(step: int) -> float:
    return 1.0
