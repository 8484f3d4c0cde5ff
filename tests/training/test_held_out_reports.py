"""Reports of held-out numbers in a training of a few milliseconds."""

from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader

from vidreid.training.held_out_reports import HeldOutReports


class Counting(L.LightningModule):
    """Its held-out mAP after epoch ``e`` is ``e / 10``."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        return self.layer(batch).mean()

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.log("val/mAP", self.current_epoch / 10)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(folder: Path, report: HeldOutReports, epochs: int = 5, **options: int) -> L.Trainer:
    trainer = L.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=folder,
        callbacks=[report, ModelCheckpoint(folder, filename="last", save_on_train_epoch_end=True)], **options,
    )  # fmt: skip
    loader = DataLoader(torch.ones(2, 1))  # pyright: ignore[reportArgumentType]
    trainer.fit(Counting(), loader, loader)
    return trainer


def test_every_validation_is_reported(tmp_path: Path) -> None:
    seen = []
    trainer = fit(tmp_path, HeldOutReports(lambda *told: seen.append(told) or False))
    # The sanity check before the first epoch is none; the last epoch leaves nothing to be saved.
    assert [(step, round(value, 6)) for step, value, _ in seen] == [
        (0, 0),
        (1, 0.1),
        (2, 0.2),
        (3, 0.3),
        (4, 0.4),
    ]
    assert [may_stop for _, _, may_stop in seen] == [True] * 4 + [False]
    assert trainer.current_epoch == 5


def test_the_training_ends_cleanly_where_it_is_told_to(tmp_path: Path) -> None:
    trainer = fit(tmp_path, HeldOutReports(lambda step, *_: step == 12, first_step=10))
    assert trainer.current_epoch == 3
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["epoch"] == 2


def test_epochs_without_validation_report_nothing(tmp_path: Path) -> None:
    seen = []
    report = HeldOutReports(lambda step, *_: seen.append(step) or False)
    fit(tmp_path, report, check_val_every_n_epoch=2, num_sanity_val_steps=0)
    assert seen == [1, 3]
