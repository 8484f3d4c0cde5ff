"""The one LightningModule: a network, a loss recipe, an optimiser, a schedule and the re-ID metric."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from vidreid.data.batch import ClipBatch
from vidreid.losses.recipe import LossRecipe
from vidreid.losses.value import ClipFacts
from vidreid.metrics.ranking import RankingResult
from vidreid.metrics.reid import ReidMetric
from vidreid.metrics.tracklets import QUERY
from vidreid.models.network import ReidNetwork
from vidreid.models.outputs import TrainingOutputs
from vidreid.training.joint_optimizer import JointOptimizer
from vidreid.training.micro_batches import check_micro_batch, forward_in_pieces
from vidreid.training.sharded_optimizer import ShardedOptimizer, ShardedStates

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

STEP_LOSS = "train/loss"
"""What is logged of single steps; all else of a training is a mean over an epoch."""

MakeOptimizer = Callable[[Iterable[tuple[str, nn.Parameter]]], Optimizer]
MakeSchedule = Callable[[Optimizer, int, int], LRScheduler]


class Evaluation(NamedTuple):
    """What an evaluation leaves for tables and pictures.

    Attributes:
        scalars: The metric's named numbers.
        ranking: Everything that the ranking returned.
        queries: ``(Q,)`` tracklet numbers of the queries, in the order of the ranking's tensors.
    """

    scalars: dict[str, float]
    ranking: RankingResult
    queries: Tensor


class ReidModule(L.LightningModule):
    """Trains and evaluates any network of the house.

    Attributes:
        test_cameras: ``known``, or ``unknown``: networks describe without being told the camera.

    Args:
        network: ``forward`` gives named logits and embeddings, ``describe`` a descriptor a clip.
        losses: Sums the weighted terms of the loss.
        optimizer: Makes the optimiser from pairs of a name and a parameter.
        schedule: Makes the schedule from optimiser, steps an epoch and epochs; stepped every batch.
        metric: Makes the evaluation metric from the number of clips that it must see (``None``: unchecked)
            and the segments of the network's descriptors with their weights (``None``: always whole).
        test_metric: The same for the test set, whose protocol may be another; by default ``metric``.
        mean: Channel means of the pixels in [0, 1].
        std: Channel standard deviations of the pixels in [0, 1].
        loss_optimizer: Makes the optimiser of the losses' own parameters, such as centres, whose rate is not
            scheduled. ``None``: they train with the network's.
        micro_batch: Clips that pass the network at a time in training, see ``micro_batches``; ``None``: all.

    Raises:
        ValueError: If ``micro_batch`` is no number of clips.
    """

    network: ReidNetwork
    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(
        self,
        network: ReidNetwork,
        losses: LossRecipe,
        optimizer: MakeOptimizer,
        schedule: MakeSchedule,
        metric: Callable[..., ReidMetric],
        test_metric: Callable[..., ReidMetric] | None = None,
        mean: tuple[float, float, float] = IMAGENET_MEAN,
        std: tuple[float, float, float] = IMAGENET_STD,
        loss_optimizer: MakeOptimizer | None = None,
        micro_batch: int | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.losses = losses
        self.make_optimizer = optimizer
        self.make_loss_optimizer = loss_optimizer
        self.make_schedule = schedule
        self.make_metric = metric
        self.make_test_metric = test_metric or metric
        self.metric: ReidMetric | None = None
        self.evaluation: Evaluation | None = None
        self.test_cameras = "known"
        self.micro_batch = check_micro_batch(micro_batch)
        self.register_buffer("pixel_mean", 255 * torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", 255 * torch.tensor(std).view(3, 1, 1), persistent=False)

    def normalize(self, images: Tensor) -> Tensor:
        """Turn uint8 pixels ``(..., 3, H, W)`` into the floats that networks read."""
        return (images.to(self.pixel_mean.dtype) - self.pixel_mean) / self.pixel_std

    def training_step(self, batch: ClipBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch and log its terms."""
        size = len(batch.pids)
        inputs = batch.images, batch.keypoints, batch.cameras
        outputs = forward_in_pieces(self._forward, *inputs, self.micro_batch or size, self.network)
        facts = ClipFacts(outputs.frame_scores, batch.erased, outputs.visible)
        loss, terms = self.losses(outputs.logits, outputs.embeddings, batch.pids, facts)
        self.log(STEP_LOSS, loss, prog_bar=True, on_step=True, on_epoch=False, batch_size=size)
        for name, value in terms.items():
            self.log(f"train/{name}", value.detach(), on_step=False, on_epoch=True, batch_size=size)
        return loss

    def _forward(self, images: Tensor, keypoints: Tensor | None, cameras: Tensor | None) -> TrainingOutputs:
        # The floats are made here: of a piece that is computed again only the bytes are kept.
        return self.network(self.normalize(images), keypoints, cameras)

    def describe(self, batch: ClipBatch) -> Tensor:
        """Return the descriptors ``(B, D)`` of a batch, as float32."""
        cameras = batch.cameras if self.test_cameras == "known" else None
        return self.network.describe(self.normalize(batch.images), batch.keypoints, cameras).float()

    def on_validation_epoch_start(self) -> None:
        """Start counting clips of the held-out identities."""
        self._start_metric(self.make_metric, self.trainer.val_dataloaders, self.trainer.limit_val_batches)

    def on_test_epoch_start(self) -> None:
        """Start counting clips of the test set."""
        self._start_metric(
            self.make_test_metric, self.trainer.test_dataloaders, self.trainer.limit_test_batches
        )

    def validation_step(self, batch: ClipBatch, batch_idx: int) -> None:
        """Collect descriptors of held-out identities."""
        self._collect(batch)

    def test_step(self, batch: ClipBatch, batch_idx: int) -> None:
        """Collect descriptors of test tracklets."""
        self._collect(batch)

    def on_validation_epoch_end(self) -> None:
        """Rank the held-out identities."""
        self._rank("val")

    def on_test_epoch_end(self) -> None:
        """Rank the test set."""
        self._rank("test")

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Make the optimiser over all trainable parameters and its per-step schedule.

        Raises:
            ValueError: If there is an optimiser for parameters of the losses, and they have none.
        """
        optimizer = self._optimizer()
        if isinstance(self.trainer.strategy, ShardedStates):
            optimizer = ShardedOptimizer(optimizer)
        epochs = max(self.trainer.max_epochs or 1, 1)
        steps = max(int(self.trainer.estimated_stepping_batches) // epochs, 1)
        schedule = self.make_schedule(optimizer, steps, epochs)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _optimizer(self) -> Optimizer:
        named = [(name, parameter) for name, parameter in self.named_parameters() if parameter.requires_grad]
        if self.make_loss_optimizer is None:
            return self.make_optimizer(named)
        own = [(name, parameter) for name, parameter in named if name.startswith("losses.")]
        if not own:
            raise ValueError(
                "loss_optimizer trains the parameters of the losses, such as centres, and these losses have "
                "none: leave it out (~loss_optimizer), or choose a loss with centres."
            )
        others = [(name, parameter) for name, parameter in named if not name.startswith("losses.")]
        return JointOptimizer(self.make_optimizer(others), self.make_loss_optimizer(own))

    def _start_metric(self, make: Callable[..., ReidMetric], loader: Any, limit: int | float) -> None:
        whole = isinstance(limit, float) and limit == 1.0
        metric = make(
            expected_clips=len(loader.dataset) if whole else None,
            segments=self.network.segments,
            segment_weights=self.network.segment_weights,
        )
        self.metric = metric.to(self.device)

    def _collect(self, batch: ClipBatch) -> None:
        assert self.metric is not None
        self.metric.update(
            self.describe(batch),
            batch.clips,
            batch.tracklets,
            batch.pids,
            batch.cameras,
            batch.roles,
            self.network.visible_segments(batch.keypoints),
            batch.outfits,
        )

    def _rank(self, prefix: str) -> None:
        assert self.metric is not None
        scalars = {name: float(value) for name, value in self.metric.compute().items()}
        queries = self.metric.descriptors().having(QUERY).tracklets.cpu()
        self.evaluation = Evaluation(scalars, self.metric.result(), queries)
        self.log_dict({f"{prefix}/{name}": value for name, value in scalars.items()}, rank_zero_only=True)
