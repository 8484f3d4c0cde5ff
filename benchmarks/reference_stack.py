"""KMPNet's graph branch against the stack it was released on: torch-geometric and torchvision's RoIAlign.

The reference is built here from the published facts: GENConv layers of torch-geometric over the edges of a
disjoint union of clips, one RoIAlign box a joint, and both linear layers of every fusion. It gets the weights
of the library's branch, must give the same logits and gradients, and then both take turns: forward and
backward down to the five maps of a ResNet-50.

A missing joint costs the reference a box of the whole image, so the share of missing joints decides much of
the ratio; one case has none. Both must write the gradients of the maps, 1.3 GB at this size: what that takes
by itself is measured as ``gradients_alone_s`` and bounds any ratio. The released code ran torch-scatter below
torch-geometric 1.6; here torch's own scatter operations stand below 2.x.

Run alone: ``python benchmarks/reference_stack.py``.
"""

import json
import os
import statistics
import warnings
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import roi_align
from training_step import interleaved

from vidreid.keypoints.skeleton import BODY12
from vidreid.models.kmpnet import GraphBranch

with warnings.catch_warnings():
    # torch-geometric still scripts two functions when it is imported.
    warnings.filterwarnings("ignore", message=r"`torch.jit.script` is deprecated.*")
    from torch_geometric.nn import GENConv

CHANNELS = (64, 256, 512, 1024, 2048)
SCALES = (1 / 4, 1 / 4, 1 / 8, 1 / 16, 1 / 16)
SIZE = (256, 128)
SPLIT = (5, 7, 11, 4)
CLIPS, FRAMES, IDENTITIES = 16, 16, 625
REPEATS = 4
TARGET = 3.0


class ReferenceLayer(nn.Module):
    """``x + GENConv(Dropout(ReLU(LayerNorm(x))))`` of DeeperGCN."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.convolution = GENConv(width, width, aggr="softmax", learn_t=True, norm="layer", bias=True)

    def forward(self, nodes: Tensor, edges: Tensor) -> Tensor:
        """Update nodes ``(M, width)``."""
        return nodes + self.convolution(self.dropout(F.relu(self.norm(nodes), inplace=True)), edges)


class ReferenceGraph(nn.Module):
    """The graph branch as released.

    Args:
        num_identities: Number of classes.
        channels: Channels of the maps.
        size: Height and width of the frames.
        split: Layers between one fusion and the next.
        dropout: Dropout probability.
    """

    def __init__(
        self,
        num_identities: int,
        channels: tuple[int, ...] = CHANNELS,
        size: tuple[int, int] = SIZE,
        split: tuple[int, ...] = SPLIT,
        dropout: float = 0.1,
        width: int = 64,
        embedding: int = 256,
    ) -> None:
        super().__init__()
        self.size, self.split = size, split
        self.up = nn.ModuleList(nn.Linear(width, c) for c in channels[1:])
        self.down = nn.ModuleList(nn.Linear(c, width) for c in channels)
        self.layers = nn.ModuleList(ReferenceLayer(width, dropout) for _ in range(sum(split)))
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        parts = len(BODY12.groups)
        self.project = nn.ModuleList(nn.Linear(width, embedding) for _ in range(parts))
        self.neck = nn.ModuleList(nn.BatchNorm1d(embedding) for _ in range(parts))
        self.classifier = nn.ModuleList(
            nn.Linear(embedding, num_identities, bias=False) for _ in range(parts)
        )
        for neck in self.neck:
            neck.bias.requires_grad_(False)

    def forward(self, maps: list[Tensor], keypoints: Tensor, edges: Tensor) -> list[Tensor]:
        """Return the logits ``(N, C)`` of every part.

        Args:
            maps: Maps ``(N, C_i, H_i, W_i)``.
            keypoints: ``(N, K, 2)`` in pixels; a missing joint lies at the origin.
            edges: ``(2, E)`` over all ``N * K`` nodes.
        """
        boxes = self._boxes(keypoints)
        nodes = self.down[0](self._crop(maps[0], boxes))
        first = 0
        for number, up, down, level in zip(self.split, self.up, self.down[1:], maps[1:], strict=True):
            for layer in self.layers[first : first + number]:
                nodes = layer(nodes, edges)
            first += number
            nodes = down(up(nodes) + self._crop(level, boxes))
        nodes = self.dropout(F.relu(self.norm(nodes), inplace=True)).unflatten(0, keypoints.shape[:2])
        logits = []
        for part, joints in enumerate(BODY12.groups.values()):
            pooled = nodes[:, list(joints)].mean(1)
            logits.append(self.classifier[part](self.neck[part](self.project[part](pooled))))
        return logits

    def _boxes(self, keypoints: Tensor) -> Tensor:
        """Return ``(N * K, 5)``: the frame and a box of one pixel, or the whole image for a missing joint."""
        height, width = self.size
        boxes = torch.cat([keypoints, keypoints + 1], -1)
        missing = (keypoints <= 0).all(-1, keepdim=True)
        boxes = torch.where(missing, boxes.new_tensor([0, 0, width, height]), boxes)
        frames = torch.arange(len(keypoints), dtype=boxes.dtype).repeat_interleave(keypoints.shape[1])
        return torch.cat([frames.unsqueeze(1), boxes.flatten(0, 1)], 1)

    def _crop(self, level: Tensor, boxes: Tensor) -> Tensor:
        return roi_align(level, boxes, 1, spatial_scale=level.shape[-1] / self.size[1]).flatten(1)


def clip_edges(clips: int, frames: int) -> Tensor:
    """Return the edges ``(2, E)`` of all clips, both directions, nodes numbered clip, frame, joint."""
    joints = len(BODY12)
    pairs = [(t * joints + a, t * joints + b) for t in range(frames) for a, b in BODY12.edges]
    pairs += [(node, node + joints) for node in range((frames - 1) * joints)]
    one = torch.tensor(pairs + [(b, a) for a, b in pairs]).T
    return torch.cat([one + clip * frames * joints for clip in range(clips)], 1)


def same_weights(ours: GraphBranch, reference: ReferenceGraph) -> None:
    """Load the weights of the library's branch into the reference."""
    state = {}
    for name, value in ours.state_dict().items():
        head, _, rest = name.partition(".")
        if head == "fusions":
            number, which, kind = rest.split(".")
            place = int(number) - 1 if which == "up" else int(number)
            name = f"{which}.{place}.{kind}"
        elif head == "layers":
            name = name.replace("convolution.t", "convolution.aggr_module.t").replace("mlp.3.", "mlp.4.")
        elif head == "heads":
            number, which, kind = rest.split(".")
            name = f"{'neck' if which == 'norm' else which}.{number}.{kind}"
        state[name] = value
    reference.load_state_dict(state)


def random_maps(
    frames: int, channels: tuple[int, ...], size: tuple[int, int], generator: torch.Generator
) -> list[Tensor]:
    """Return maps like those behind a ReLU, which take gradients."""
    shapes = [(int(size[0] * scale), int(size[1] * scale)) for scale in SCALES]
    return [
        torch.randn(frames, c, *shape, generator=generator).relu_().requires_grad_()
        for c, shape in zip(channels, shapes, strict=True)
    ]


def random_keypoints(
    clips: int, frames: int, size: tuple[int, int], missing: float, generator: torch.Generator
) -> Tensor:
    """Return joints ``(B, T, 12, 3)`` in pixels, a share of them missing: confidence 0 at the origin."""
    scale = torch.tensor([size[1], size[0]])
    places = torch.rand(clips, frames, len(BODY12), 2, generator=generator) * scale
    seen = (torch.rand(clips, frames, len(BODY12), 1, generator=generator) >= missing).float()
    return torch.cat([places * seen, seen], -1)


def pair(
    num_identities: int, channels: tuple[int, ...] = CHANNELS, size: tuple[int, int] = SIZE
) -> tuple[GraphBranch, ReferenceGraph]:
    """Return the library's branch, which samples as the compiled RoIAlign does, and its reference."""
    ours = GraphBranch(num_identities, channels, SCALES, layers=SPLIT, border="zero")
    reference = ReferenceGraph(num_identities, channels, size)
    same_weights(ours, reference)
    return ours.train(), reference.train()


def set_dropout(network: nn.Module, probability: float) -> None:
    """Set the probability of every dropout."""
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = probability


Passes = dict[str, Callable[[], list[Tensor]]]


def passes(ours: GraphBranch, reference: ReferenceGraph, maps: list[Tensor], keypoints: Tensor) -> Passes:
    """Return forward and backward of both, from the maps to the gradients of maps and weights."""
    places = keypoints.flatten(0, 1)[..., :2].contiguous()
    # In the released code the loader makes the edges.
    edges = clip_edges(*keypoints.shape[:2])

    def backward(network: nn.Module, logits: list[Tensor]) -> list[Tensor]:
        network.zero_grad()
        for level in maps:
            level.grad = None
        torch.stack([F.log_softmax(logit, -1)[..., 0].mean() for logit in logits]).mean().neg().backward()
        return logits

    return {
        "ours": lambda: backward(ours, list(ours(maps, keypoints).logits.values())),
        "reference": lambda: backward(reference, reference(maps, places, edges)),
    }


def largest_differences(
    ours: GraphBranch, reference: ReferenceGraph, maps: list[Tensor], keypoints: Tensor
) -> dict[str, float]:
    """Return the largest differences of logits and gradients, relative to the largest value of each tensor.

    In double precision and without dropout; the networks are left like that. What remains is the rounding of
    the parts' weights (1/12 ...), which the library keeps in single precision: about 1e-8.
    """
    for network in (ours, reference):
        set_dropout(network.double(), 0.0)
    maps = [level.detach().double().requires_grad_() for level in maps]
    keypoints = keypoints.double()
    both = passes(ours, reference, maps, keypoints)
    logits = {name: [x.detach().reshape(-1, x.shape[-1]) for x in step()] for name, step in both.items()}
    gradients = {}
    for name, network in (("ours", ours), ("reference", reference)):
        both[name]()
        gradients[name] = [level.grad for level in maps], _in_order(network)
    (our_maps, our_weights), (their_maps, their_weights) = gradients["ours"], gradients["reference"]
    return {
        "logits": _relative(logits["ours"], logits["reference"]),
        "map_gradients": _relative(our_maps, their_maps),
        "weight_gradients": _relative(our_weights, their_weights),
    }


def _in_order(network: nn.Module) -> list[Tensor]:
    """Return the gradients of the layers' and the heads' weights, which both keep in the same order."""
    names = ("layers.", "norm.")
    return [p.grad for name, p in network.named_parameters() if name.startswith(names)]  # pyright: ignore


def _relative(ours: list[Tensor], theirs: list[Tensor]) -> float:
    assert len(ours) == len(theirs) > 0
    return max(
        float((a - b).abs().max() / b.abs().max().clamp_min(1e-12)) for a, b in zip(ours, theirs, strict=True)
    )


def measure(missing: float, threads: int) -> dict[str, float]:
    """Measure one share of missing joints with a number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        generator = torch.Generator().manual_seed(0)
        torch.manual_seed(0)
        ours, reference = pair(IDENTITIES)
        maps = random_maps(CLIPS * FRAMES, CHANNELS, SIZE, generator)
        keypoints = random_keypoints(CLIPS, FRAMES, SIZE, missing, generator)
        steps: dict[str, Any] = dict(passes(ours, reference, maps, keypoints))
        steps["gradients_alone"] = lambda: [torch.zeros_like(level) for level in maps]
        seconds = interleaved(steps, REPEATS)
    finally:
        torch.set_num_threads(before)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "ours_s": median["ours"],
        "reference_s": median["reference"],
        "gradients_alone_s": median["gradients_alone"],
        "ratio": median["reference"] / median["ours"],
        # Beside other programs the fastest turns are the least disturbed.
        "ratio_of_fastest": min(seconds["reference"]) / min(seconds["ours"]),
    }


def run() -> dict[str, Any]:
    """Check that both are equal, then return the ratios ``reference / ours``.

    Raises:
        AssertionError: If logits or gradients differ.
    """
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(1)
    ours, reference = pair(IDENTITIES)
    maps = random_maps(2 * FRAMES, CHANNELS, SIZE, generator)
    differences = largest_differences(
        ours, reference, maps, random_keypoints(2, FRAMES, SIZE, 0.1, generator)
    )
    if max(differences.values()) > 1e-6:
        raise AssertionError(f"The two graph branches differ: {differences}")
    del ours, reference, maps
    cases = {
        f"missing_{missing:g}_threads_{threads}": measure(missing, threads)
        for missing, threads in ((0.1, 1), (0.0, 1), (0.1, 2))
        if threads <= (os.cpu_count() or 1)
    }
    return {
        "size": f"{CLIPS} clips of {FRAMES} frames, 12 joints, ResNet-50 maps at {SIZE[0]}x{SIZE[1]}",
        "largest_relative_differences": differences,
        "cases": cases,
        "target_ratio": TARGET,
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
