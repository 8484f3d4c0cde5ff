"""Numbers of held-out identities, told to whoever decides whether a training goes on."""

from collections.abc import Callable

import lightning as L
from lightning.pytorch.trainer.states import TrainerFn
from typing_extensions import override

from vidreid.training.selection import MONITOR

Report = Callable[[int, float, bool], bool]
"""Takes step, number and whether the training may be stopped; returns whether it is to stop."""


class HeldOutReports(L.Callback):
    """Reports ``val/mAP`` after every validation, and ends the training cleanly if it is told to.

    Under DDP the first process alone reports; all stop together.

    Args:
        report: Takes step, number and whether an epoch is left to be saved; returns whether to stop.
        first_step: Step of the first epoch, for trainings that follow another one.
    """

    def __init__(self, report: Report, first_step: int = 0) -> None:
        self.report = report
        self.first_step = first_step

    @override
    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking or trainer.state.fn != TrainerFn.FITTING:
            return
        stop = False
        if trainer.is_global_zero:
            value = float(trainer.callback_metrics[MONITOR])
            epoch = trainer.current_epoch
            may_stop = trainer.max_epochs is None or epoch + 1 < trainer.max_epochs
            stop = self.report(self.first_step + epoch, value, may_stop)
        if trainer.strategy.broadcast(stop):
            trainer.should_stop = True
