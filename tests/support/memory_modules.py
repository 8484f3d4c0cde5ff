"""Small trainings whose loss compares clips: KeyRe-ID with all its losses, PCB with identity and triplet."""

import copy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from vidreid.data.batch import ClipBatch
from vidreid.losses.attention import FrameAttentionLoss
from vidreid.losses.branch_triplet import BranchTripletLoss
from vidreid.losses.center import CenterLoss
from vidreid.losses.identity import IdentityLoss
from vidreid.losses.recipe import LossRecipe
from vidreid.losses.triplet import TripletLoss
from vidreid.metrics.reid import ReidMetric
from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.key_reid import KeyReID
from vidreid.models.pcb import PCB
from vidreid.models.visual_network import VisualNetwork
from vidreid.training.module import ReidModule

IDENTITIES, FRAMES, HEIGHT, WIDTH = 4, 2, 64, 32
TINY: dict[str, Any] = {"patch": 8, "stride": 8, "embedding": 24, "depth": 4, "heads": 2}


def key_reid(drop_path: float = 0.0, **trunk: Any) -> ReidModule:
    torch.manual_seed(0)
    options = {**TINY, "height": HEIGHT, "width": WIDTH, "cameras": [1, 2], "drop_path": drop_path, **trunk}
    network = KeyReID(IDENTITIES, VisionTransformer("vit_tiny_patch16_224", **options), frames=FRAMES)
    terms = {
        "identity": IdentityLoss(reduction="branches"),
        "triplet": BranchTripletLoss(),
        "center": CenterLoss(IDENTITIES, network.embedding_sizes["global"], network.embedding_sizes["part"]),
        "attention": FrameAttentionLoss(),
    }
    return module_of(network, LossRecipe(terms, {"center": 0.05}))


def pcb(dropout: float = 0.0) -> ReidModule:
    torch.manual_seed(0)
    network = VisualNetwork(
        PCB(IDENTITIES, "resnet10t", stripes=2, reduced=16, dropout=dropout, channels=(8, 16, 24, 32))
    )
    return module_of(network, LossRecipe({"identity": IdentityLoss(), "triplet": TripletLoss(margin=None)}))


MODULES = {"key_reid": key_reid, "pcb": pcb}


def module_of(network: Any, losses: LossRecipe, micro_batch: int | None = None) -> ReidModule:
    optimizer = partial(torch.optim.SGD, lr=0.1)

    def schedule(optimizer: Any, steps: int, epochs: int) -> Any:
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)

    module = ReidModule(
        network,
        losses,
        lambda named: optimizer([parameter for _, parameter in named]),
        schedule,
        ReidMetric,
        micro_batch=micro_batch,
    )
    module.log = lambda *args, **kwargs: None  # type: ignore[method-assign]  # there is no trainer
    return module


def batch(clips: int = 8, seed: int = 0) -> ClipBatch:
    """Clips of ``IDENTITIES`` people in turn; some joints are missing, some frames erased."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (clips, FRAMES, 3, HEIGHT, WIDTH), generator=generator, dtype=torch.uint8)
    places = torch.rand(clips, FRAMES, 17, 2, generator=generator) * torch.tensor([WIDTH, HEIGHT])
    seen = torch.rand(clips, 1, 17, 1, generator=generator).expand(-1, FRAMES, -1, -1) < 0.7
    seen[: clips // 4, :, :5] = False  # the head shows in none of the first clips
    pids = torch.arange(clips) % IDENTITIES
    cameras = 1 + torch.arange(clips) % 2
    erased = torch.rand(clips, FRAMES, generator=generator) < 0.4
    none = torch.zeros(clips, dtype=torch.long)
    return ClipBatch(images, torch.cat([places, seen.float()], -1), pids, cameras, none, none, none, erased)


def without_batch_statistics(module: nn.Module) -> None:
    """Let batch norms use what they keep: no clip of a batch then changes another."""
    for one in module.modules():
        if isinstance(one, nn.modules.batchnorm._BatchNorm):
            one.eval()


def step(module: ReidModule, clips: ClipBatch, micro_batch: int | None = None, seed: int = 5) -> Tensor:
    """Return the loss of a training step, whose gradients stay with the parameters."""
    module.micro_batch = micro_batch
    module.zero_grad()
    torch.manual_seed(seed)
    loss = module.training_step(clips, 0)
    loss.backward()
    return loss.detach()


def gradients(module: nn.Module) -> dict[str, Tensor]:
    return {name: p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}


def twin(module: ReidModule) -> ReidModule:
    return copy.deepcopy(module)
