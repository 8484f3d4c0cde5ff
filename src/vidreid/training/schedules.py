"""Learning rate schedules, stepped every batch, pure functions of the step.

Both are ``LambdaLR``: a checkpoint needs to hold nothing but the step, and a resumed run goes on exactly.
"""

import math

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

    return LambdaLR(optimizer, rate)


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

    return LambdaLR(optimizer, rate)


def constant(optimizer: Optimizer, steps_per_epoch: int, epochs: int) -> LambdaLR:
    """Leave the rate as it is.

    Args:
        optimizer: Whose rates are scheduled.
        steps_per_epoch: Unused; part of the common signature of schedules.
        epochs: Unused; part of the common signature of schedules.
    """
    return LambdaLR(optimizer, lambda step: 1.0)


def _warm(step: int, warmup: int) -> float:
    return min((step + 1) / (warmup + 1), 1.0)
