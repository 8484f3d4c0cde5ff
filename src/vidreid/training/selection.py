"""Which checkpoint is the result: the last one, or the best on held-out training identities."""

import os
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ModelCheckpoint
from typing_extensions import override

from vidreid.training.csv_log import CsvLog
from vidreid.training.module import STEP_LOSS
from vidreid.training.run_folder import RunFolder

MONITOR = "val/mAP"


class RunCheckpoint(ModelCheckpoint):
    """Lightning's, which goes on in a run folder that has been moved as well.

    Lightning's own forgets there how good the best epoch was, so that a worse one replaces it.
    """

    @property
    @override
    def state_key(self) -> str:
        """Return the name that Lightning's own has in a checkpoint."""
        return super().state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__)

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        paths = ("best_model_path", "kth_best_model_path", "last_model_path")
        moved = {name: self._here(state_dict[name]) for name in paths}
        best = {self._here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **moved, "best_k_models": best, "dirpath": self.dirpath})
        self.current_score = state_dict["current_score"]  # Lightning writes it and does not read it

    def _here(self, path: str) -> str:
        return os.path.join(str(self.dirpath), os.path.basename(path)) if path else path  # noqa: PTH118, PTH119


class LastCheckpoint(RunCheckpoint):
    """Keeps the state after the last whole epoch, from which a run goes on.

    The epoch's means are in the CSV log before: Lightning logs them after its checkpoints, and a run that is
    killed in between would go on without them.
    """

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        means = {
            name: float(value)
            for name, value in trainer.logged_metrics.items()
            if name.startswith("train/") and name != STEP_LOSS
        }
        for logger in trainer.loggers:
            if isinstance(logger, CsvLog):
                logger.log_metrics({**means, "epoch": trainer.current_epoch}, step=trainer.global_step - 1)
                logger.save()
        super().on_train_epoch_end(trainer, pl_module)


def checkpoint_callbacks(run: RunFolder, select: str, held_out_identities: float) -> list[ModelCheckpoint]:
    """Return the callbacks that keep ``last.ckpt`` and, where it is asked for, ``best.ckpt``.

    Args:
        run: Whose checkpoints are kept.
        select: ``last`` or ``best``.
        held_out_identities: How many training identities are held out; 0 for none.

    Raises:
        ValueError: If ``best`` is asked for without held-out identities, or for another word.
    """
    if select not in ("last", "best"):
        raise ValueError(f"select={select} is unknown: choose last or best.")
    if select == "best" and not held_out_identities:
        raise ValueError(
            "select=best needs identities that are held out of training to choose on (choosing on the test "
            "set would be cheating): set data.held_out_identities, for example to 0.1."
        )
    last = LastCheckpoint(
        run.checkpoints,
        filename="last",
        save_top_k=1,
        monitor=None,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    if select == "last":
        return [last]
    best = RunCheckpoint(
        run.checkpoints,
        filename="best",
        save_top_k=1,
        monitor=MONITOR,
        mode="max",
        enable_version_counter=False,
    )
    return [best, last]
