"""What killed processes left half-written in a run folder."""

import lightning as L
from typing_extensions import override

from vidreid.files import remove_partial_files
from vidreid.training.run_folder import RunFolder


class Leftovers(L.Callback):
    """Removes half-written files when a training starts or goes on.

    Then all processes of the training have met and have written what they write before it.

    Args:
        run: The run folder.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run = run

    @override
    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.is_global_zero:
            for folder in (self.run.path, self.run.csv_file.parent, self.run.checkpoints):
                remove_partial_files(folder)
