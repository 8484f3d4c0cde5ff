"""Batch statistics of all processes: what ``trainer.sync_batchnorm=true`` does in this library."""

import lightning as L
from lightning.pytorch.plugins.layer_sync import TorchSyncBatchNorm
from lightning.pytorch.strategies import ParallelStrategy
from timm.layers.norm_act import convert_sync_batchnorm
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from typing_extensions import override

from vidreid.models.layers.bn_neck import BNNeck, SyncBNNeck

_STATE = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


class BatchNormSync(TorchSyncBatchNorm):
    """Lets the batch norms of a module share their statistics while it trains.

    PyTorch's own conversion makes every kind of batch norm a plain ``SyncBatchNorm``: necks would fall back
    to half precision under autocast, and timm's norms that hold their activation would lose it. Here each
    kind has its counterpart. Parameters and statistics are shared with the old layers, which come back after
    training; so names, optimisers and checkpoints stay as they are.
    """

    def __init__(self) -> None:
        self._replaced: list[tuple[nn.Module, str, nn.Module]] = []

    @override
    def apply(self, model: nn.Module) -> nn.Module:
        """Replace the batch norms inside a module, in place, and return it."""
        for parent in list(model.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, _BatchNorm) and not isinstance(child, nn.SyncBatchNorm):
                    self._replaced.append((parent, name, child))
                    parent.add_module(name, _synchronised(child))
        return model

    @override
    def revert(self, model: nn.Module) -> nn.Module:
        """Put the old batch norms back, with what they have learned, and return the module."""
        for parent, name, old in self._replaced:
            new = parent.get_submodule(name)
            # A module that moved to another device has new tensors.
            for key in _STATE:
                setattr(old, key, getattr(new, key))
            old.train(new.training)
            parent.add_module(name, old)
        self._replaced.clear()
        return model


def check_batch_norm_sync(trainer: L.Trainer, wanted: bool) -> None:
    """Refuse what would fail in the first step.

    Args:
        trainer: Knows the processes and their devices.
        wanted: ``trainer.sync_batchnorm``.

    Raises:
        ValueError: If processes are to share batch statistics on the CPU, which PyTorch cannot.
    """
    strategy = trainer.strategy  # a single device without a group of processes has nothing to share
    if wanted and isinstance(strategy, ParallelStrategy) and strategy.root_device.type == "cpu":
        raise ValueError(
            f"trainer.sync_batchnorm=true shares batch statistics between GPUs, and this training has "
            f"{trainer.world_size} process(es) on the CPU: set trainer.sync_batchnorm=false."
        )


def _synchronised(norm: _BatchNorm) -> nn.Module:
    if not isinstance(norm, BNNeck):
        return convert_sync_batchnorm(norm)
    new = SyncBNNeck(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    for key in _STATE:
        setattr(new, key, getattr(norm, key))
    return new.train(norm.training)
