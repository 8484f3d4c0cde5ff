"""One process of a distributed training step in pieces: its gradients go to a file (for the test beside)."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from support.memory_modules import batch, gradients, key_reid, without_batch_statistics
from vidreid.training.module import ReidModule


class TrainingStep(nn.Module):
    """What a trainer wraps: its forward pass is a training step."""

    def __init__(self, module: ReidModule) -> None:
        super().__init__()
        self.module = module

    def forward(self, rank: int) -> Tensor:
        return self.module.training_step(batch(seed=rank), 0)


def make(micro_batch: int | None) -> ReidModule:
    module = key_reid(checkpoint=micro_batch is not None).double().train()
    without_batch_statistics(module)
    module.micro_batch = micro_batch
    return module


def main(rank: int, meeting: str, file: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    found = {}
    for static in (False, True):
        module = make(micro_batch=3)
        wrapped = DistributedDataParallel(TrainingStep(module), static_graph=static)
        for _ in range(2):  # a static graph is learned in the first step
            module.zero_grad()
            wrapped(rank).backward()
        found[str(static)] = gradients(module)
    torch.save(found, Path(file))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
