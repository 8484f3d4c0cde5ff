"""How much of what the visual branch learns comes from the graph, stage by stage.

``python scripts/graph_gradients.py RUN [batches]``: RUN is a finished run of a KMPNet. For the first training
batches, the gradients of the visual heads' loss and of the graph heads' loss are taken apart; the table gives
the norm of both on the parameters of every stage of the trunk, their ratio and the cosine between them.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from vidreid.commands.building import build_module, without_initial_weights
from vidreid.data.batch import ClipBatch
from vidreid.losses.identity import IdentityLoss
from vidreid.training.checkpoint import load_network
from vidreid.training.module import ReidModule
from vidreid.training.run_folder import RunFolder

STAGES = ("conv1", "layer1", "layer2", "layer3", "layer4")


class Share(NamedTuple):
    """Mean over batches of the gradients on one stage: norms by both losses, and their cosine."""

    visual: float
    graph: float
    cosine: float


def gradient_shares(module: ReidModule, batches: Iterable[ClipBatch]) -> dict[str, Share]:
    """Return the shares of every stage of a ResNet trunk.

    Args:
        module: Holds a KMPNet.
        batches: Training batches with keypoints.
    """
    network = module.network.train()
    trunk = dict(network.visual.backbone.named_parameters())  # pyright: ignore[reportAttributeAccessIssue]
    found: dict[str, list[tuple[float, float, float]]] = {stage: [] for stage in STAGES}
    for batch in batches:
        outputs = network(module.normalize(batch.images), batch.keypoints, batch.cameras)
        visual, graph = (
            IdentityLoss(heads=heads)(outputs.logits, {}, batch.pids).value for heads in ("visual", "graph")
        )
        gradients = [
            dict(zip(trunk, torch.autograd.grad(loss, list(trunk.values()), retain_graph=True), strict=True))
            for loss in (visual, graph)
        ]
        for stage in STAGES:
            own, other = (_flat(gradient, stage) for gradient in gradients)
            cosine = F.cosine_similarity(own, other, dim=0)
            found[stage].append((own.norm().item(), other.norm().item(), cosine.item()))
    return {stage: Share(*torch.tensor(values).mean(0).tolist()) for stage, values in found.items()}


def _flat(gradient: dict[str, Tensor], stage: str) -> Tensor:
    return torch.cat([value.flatten() for name, value in gradient.items() if name.startswith(f"{stage}.")])


def main(folder: Path, count: int) -> None:
    """Print the table of a run."""
    from hydra.utils import instantiate

    run = RunFolder.existing(folder)
    config = OmegaConf.create(run.read_config())
    assert isinstance(config, DictConfig)
    module = build_module(without_initial_weights(config))
    load_network(module.network, run.checkpoint(config.select))
    loader = instantiate(config.data).train_dataloader()
    shares = gradient_shares(module, (batch for batch, _ in zip(loader, range(count), strict=False)))
    print("| stage  | visual loss | graph loss | graph / visual | cosine |")
    print("|--------|------------:|-----------:|---------------:|-------:|")
    for stage, share in shares.items():
        ratio = share.graph / share.visual
        numbers = f"{share.visual:>11.4f} | {share.graph:>10.4f} | {ratio:>14.3f} | {share.cosine:>6.2f}"
        print(f"| {stage:<6} | {numbers} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8)
