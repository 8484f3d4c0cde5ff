"""Time of a training step of PCB alone and of KMPNet(PCB): what the graph costs.

A step is forward, loss, backward and Adam. The two networks take turns within one run, so that whatever else
the machine does falls on both alike; the figure is the ratio of the medians.

Run alone: ``python benchmarks/training_step.py``.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from vidreid.losses.identity import IdentityLoss
from vidreid.models.kmpnet import GraphBranch, KMPNet
from vidreid.models.pcb import PCB
from vidreid.models.visual_network import VisualNetwork

FRAMES = 8


@dataclass(frozen=True)
class Case:
    """One size of the two networks.

    Attributes:
        backbone: A ResNet of timm.
        size: Height and width of a frame.
        clips: Clips a step, each of ``FRAMES`` frames.
        identities: Number of classes.
        repeats: Measured turns.
        channels: Widths of a narrow backbone.
    """

    backbone: str
    size: tuple[int, int]
    clips: int
    identities: int
    repeats: int
    channels: tuple[int, ...] | None = None

    def pcb(self) -> PCB:
        """Return the network without a graph."""
        return PCB(self.identities, self.backbone, channels=self.channels)


CASES = {
    "resnet50_256x128": Case("resnet50", (256, 128), clips=2, identities=625, repeats=7),
    "resnet18_128x64": Case("resnet18", (128, 64), clips=8, identities=150, repeats=9),
    "synthetic": Case(
        "resnet10t", (128, 64), clips=8, identities=150, repeats=9, channels=(32, 64, 128, 256)
    ),
}
"""The paper's network, a small one, and the one of the synthetic experiments."""


def clip_keypoints(clips: int, frames: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Return joints ``(B, T, 12, 3)`` in pixels, one in ten of them missing."""
    height, width = size
    places = torch.rand(clips, frames, 12, 2, generator=generator) * torch.tensor([width, height])
    scores = (torch.rand(clips, frames, 12, 1, generator=generator) > 0.1).float()
    return torch.cat([places, scores], -1)


def training_step(network: nn.Module, images: Tensor, keypoints: Tensor, pids: Tensor) -> Callable[[], None]:
    """Return a function that does one whole training step."""
    loss = IdentityLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, weight_decay=5e-4)
    network.train()

    def step() -> None:
        optimizer.zero_grad()
        outputs = network(images, keypoints)
        loss(outputs.logits, outputs.embeddings, pids).value.backward()
        optimizer.step()

    return step


def graph_pass(network: KMPNet, images: Tensor, keypoints: Tensor) -> Callable[[], None]:
    """Return a function that does the graph's forward and backward pass alone, down to the maps."""
    with torch.no_grad():
        maps = [level.requires_grad_() for level in network.visual.stages(images.flatten(0, 1))]

    def step() -> None:
        outputs = network.graph(maps, keypoints)
        torch.stack([logit.sum() for logit in outputs.logits.values()]).sum().backward()

    return step


def interleaved(steps: dict[str, Callable[[], None]], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each function; they take turns, after one unmeasured turn."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(repeats + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def measure(case: Case) -> dict[str, float]:
    """Measure one case."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(case.clips, FRAMES, 3, *case.size, generator=generator)
    keypoints = clip_keypoints(case.clips, FRAMES, case.size, generator)
    pids = torch.randint(case.identities, (case.clips,), generator=generator)
    kmpnet = KMPNet(case.pcb(), partial(GraphBranch, case.identities))
    steps = {
        "pcb": training_step(VisualNetwork(case.pcb()), images, keypoints, pids),
        "kmpnet": training_step(kmpnet, images, keypoints, pids),
        "graph_alone": graph_pass(kmpnet, images, keypoints),
    }
    seconds = interleaved(steps, case.repeats)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "pcb_step_s": median["pcb"],
        "kmpnet_step_s": median["kmpnet"],
        "graph_forward_backward_s": median["graph_alone"],
        "overhead_ratio": median["kmpnet"] / median["pcb"],
        # Beside other programs the fastest turns are the least disturbed.
        "overhead_ratio_of_fastest": min(seconds["kmpnet"]) / min(seconds["pcb"]),
    }


def run() -> dict:
    """Return the figures of all cases and how they were had."""
    cases = {name: measure(case) for name, case in CASES.items()}
    setting = {"frames": FRAMES, "threads": torch.get_num_threads(), "torch": torch.__version__}
    return {"setting": setting, "cases": cases, "target_overhead_ratio": 1.15}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
