"""Pictures of a run: what the network was trained on, and how it ranks."""

from typing import Any

import lightning as L
import numpy as np
from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.utilities import rank_zero_only
from typing_extensions import override

from vidreid.data.batch import ClipBatch
from vidreid.data.datamodule import ReidDataModule
from vidreid.keypoints.skeleton import SKELETONS
from vidreid.training.module import ReidModule
from vidreid.training.run_folder import RunFolder
from vidreid.visualize.curves import cmc_figure, figure_pixels
from vidreid.visualize.palette import Frame
from vidreid.visualize.ranked import frames_reader, ranked_rows
from vidreid.visualize.save import save_png
from vidreid.visualize.skeletons import skeleton_sheet
from vidreid.visualize.strips import ranked_strips


class Pictures(L.Callback):
    """Draws skeletons over the first training batch, ranked strips and the CMC curve.

    Each picture is a PNG in the run's ``pictures`` folder and an image of the W&B run.

    Args:
        queries: Rows of the ranked list, spread evenly over the queries that have an answer.
        ranks: Gallery tracklets a row.
        clips: Clips of the first training batch that are drawn with their keypoints.
    """

    def __init__(self, queries: int = 6, ranks: int = 8, clips: int = 4) -> None:
        self.queries = queries
        self.ranks = ranks
        self.clips = clips

    @override
    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Draw the keypoints of the first batch as the network sees them: after every augmentation."""
        if trainer.global_step == 0:
            self._draw_skeletons(trainer, batch)

    @override
    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draw ranked strips and the CMC curve of the test set."""
        assert isinstance(pl_module, ReidModule)
        if pl_module.metric is None:
            return
        # On every rank: the descriptors are gathered from all of them.
        descriptors = pl_module.metric.descriptors()
        self._draw_ranking(trainer, pl_module, descriptors)

    @rank_zero_only
    def _draw_skeletons(self, trainer: L.Trainer, batch: ClipBatch) -> None:
        if batch.keypoints is None:
            return
        joints = batch.keypoints.shape[2]
        skeleton = next((known for known in SKELETONS.values() if len(known) == joints), None)
        if skeleton is None:
            return
        images = batch.images[: self.clips].permute(0, 1, 3, 4, 2).cpu().numpy()
        keypoints = batch.keypoints[: self.clips].cpu().numpy()
        rows = [(list(clip), points) for clip, points in zip(images, keypoints, strict=True)]
        self._keep(trainer, "skeletons", skeleton_sheet(rows, skeleton))

    @rank_zero_only
    def _draw_ranking(self, trainer: L.Trainer, module: ReidModule, descriptors: Any) -> None:
        data = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
        if not isinstance(data, ReidDataModule) or module.metric is None or module.evaluation is None:
            return
        source = data.benchmark.test, data.frames(data.test_split)
        frames = frames_reader(*source)
        rows = ranked_rows(
            descriptors,
            frames,
            self.queries,
            self.ranks,
            distance=module.metric.distance,
            junk_pid=module.metric.junk_pid,
            answers=module.metric.answers,
            person_names=data.benchmark.person_names,
            camera_names=data.benchmark.camera_names,
            query_frames_of=frames_reader(*source, count=1) if data.query == "image" else None,
        )
        if rows:
            self._keep(trainer, "ranked", ranked_strips(rows))
        cmc = [float(value) for value in module.evaluation.ranking.cmc]
        if not np.isnan(cmc).any():
            self._keep(trainer, "cmc", figure_pixels(cmc_figure({data.protocol: cmc})))

    @staticmethod
    def _keep(trainer: L.Trainer, name: str, picture: Frame) -> None:
        save_png(picture, RunFolder(trainer.default_root_dir).pictures / f"{name}.png")
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image(f"pictures/{name}", [picture])
