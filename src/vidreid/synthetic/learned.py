"""Two small networks for the calibration: stripes, and parts around keypoints.

They are trained from scratch on a small budget and only have to show that the benchmark can be learned and
that keypoints are worth something on it. The library's methods live in ``vidreid.models``.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vidreid.keypoints.skeleton import COCO17
from vidreid.synthetic.scores import SplitReader

PARTS = ((0, 1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16))
"""Joints of the four parts: head, chest, hips, legs."""


@dataclass(frozen=True)
class Budget:
    """How long and how to train.

    Attributes:
        passes: Frames that go forwards and backwards.
        batch: Frames in a step.
        lr: Largest learning rate.
        test_frames: Frames of a tracklet at test time, evenly spaced.
        seed: Of initial weights, order and augmentation.
    """

    passes: int = 20_000
    batch: int = 32
    lr: float = 2e-3
    test_frames: int = 6
    seed: int = 0


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.body(x) + self.short(x))


class SmallNetwork(nn.Module):
    """A residual network of ten layers with four pooled regions.

    Args:
        identities: Training identities.
        use_keypoints: Pool around joints instead of in horizontal stripes.
        width: Channels of the first stage.
    """

    def __init__(self, identities: int, use_keypoints: bool, width: int = 32) -> None:
        super().__init__()
        self.use_keypoints = use_keypoints
        self.stages = nn.Sequential(
            nn.Conv2d(3, width, 5, 2, 2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            _Block(width, width, 1),
            _Block(width, 2 * width, 2),
            _Block(2 * width, 4 * width, 1),
            _Block(4 * width, 8 * width, 2),
        )
        self.reduce = nn.ModuleList(
            nn.Sequential(nn.Linear(8 * width, 128), nn.BatchNorm1d(128)) for _ in PARTS
        )
        self.heads = nn.ModuleList(nn.Linear(128, identities) for _ in PARTS)

    def forward(self, images: Tensor, keypoints: Tensor) -> list[Tensor]:
        """Return four reduced regions, ``(N, 128)`` each.

        Args:
            images: ``(N, 3, H, W)`` in about -2..2.
            keypoints: ``(N, 17, 3)`` in pixels of the images; not looked at without ``use_keypoints``.
        """
        maps = self.stages(images)
        weights = _part_weights(keypoints, images, maps) if self.use_keypoints else _stripe_weights(maps)
        pooled = torch.einsum("nchw,nphw->npc", maps, weights)
        return [reduce(pooled[:, p]) for p, reduce in enumerate(self.reduce)]

    def logits(self, regions: list[Tensor]) -> list[Tensor]:
        """Classify the regions."""
        return [head(region) for head, region in zip(self.heads, regions, strict=True)]


def _stripe_weights(maps: Tensor) -> Tensor:
    n, _, h, w = maps.shape
    stripe = torch.arange(h, device=maps.device) * len(PARTS) // h
    weights = functional.one_hot(stripe, len(PARTS)).T.to(maps.dtype)[None, :, :, None].expand(n, -1, -1, w)
    return weights / weights.sum((2, 3), keepdim=True)


def _part_weights(keypoints: Tensor, images: Tensor, maps: Tensor) -> Tensor:
    """Return ``(N, 4, h, w)`` Gaussians around the joints of a part; an unseen part pools everything."""
    height, width = images.shape[2:]
    h, w = maps.shape[2:]
    ys = (torch.arange(h, device=maps.device) + 0.5) / h * height
    xs = (torch.arange(w, device=maps.device) + 0.5) / w * width
    x, y, confidence = keypoints.unbind(-1)
    square = (xs[None, None, None, :] - x[..., None, None]) ** 2 + (
        ys[None, None, :, None] - y[..., None, None]
    ) ** 2
    gauss = confidence[..., None, None] * torch.exp(-square / (2 * (0.07 * height) ** 2))
    parts = torch.stack([gauss[:, list(joints)].sum(1) for joints in PARTS], 1) + 1e-4
    return parts / parts.sum((2, 3), keepdim=True)


def learned_descriptors(root: Path, use_keypoints: bool, budget: Budget, source: str = "detector") -> NDArray:
    """Train a small network and describe the test tracklets.

    Args:
        root: A procedural tree.
        use_keypoints: Parts around keypoints instead of stripes.
        budget: How long.
        source: Which keypoints, ``detector`` or ``true``.

    Returns:
        ``(n, 512)`` one row a test tracklet.
    """
    torch.manual_seed(budget.seed)
    rng = np.random.default_rng(budget.seed)
    split = SplitReader(root, "train")
    store = split.keypoints(source)
    images = np.concatenate([split.images(row) for row in range(len(split))])
    keypoints = store[slice(0, len(store))]
    labels = np.unique(split.pids, return_inverse=True)[1]
    network = SmallNetwork(int(labels.max()) + 1, use_keypoints)
    optimiser = torch.optim.AdamW(network.parameters(), lr=budget.lr, weight_decay=0.01)
    steps = budget.passes // budget.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, budget.lr, total_steps=steps, pct_start=0.15)
    network.train()
    order = np.empty(0, np.int64)
    for _ in range(steps):
        while len(order) < budget.batch // 2:
            order = np.concatenate([order, rng.permutation(len(split))])
        rows, order = order[: budget.batch // 2], order[budget.batch // 2 :]
        rows = np.repeat(rows, 2)
        frames = rng.integers(split.starts[rows], split.stops[rows])
        batch, joints = _augment(rng, images[frames], keypoints[frames])
        regions = network(_normalise(batch), torch.from_numpy(joints))
        target = torch.from_numpy(labels[rows])
        loss = sum(
            (functional.cross_entropy(z, target, label_smoothing=0.1) for z in network.logits(regions)),
            start=torch.zeros(()),
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return _describe(network, SplitReader(root, "test"), source, budget.test_frames)


@torch.no_grad()
def _describe(network: SmallNetwork, split: SplitReader, source: str, frames: int) -> NDArray:
    network.eval()
    store = split.keypoints(source)
    rows = []
    for row in range(len(split)):
        chosen = np.unique(
            np.linspace(0, split.stops[row] - split.starts[row] - 1, frames).round().astype(int)
        )
        images = split.images(row)[chosen]
        regions = network(_normalise(images), torch.from_numpy(store[split.starts[row] + chosen]))
        rows.append(functional.normalize(torch.cat(regions, 1), dim=1).mean(0))
    return functional.normalize(torch.stack(rows), dim=1).numpy()


def _normalise(images: NDArray[np.uint8]) -> Tensor:
    pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float()
    return (pixels - 115.0) / 60.0


def _augment(
    rng: np.random.Generator, images: NDArray[np.uint8], keypoints: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Flip pixels and joints together, and erase rectangles."""
    images, keypoints = images.copy(), keypoints.copy()
    height, width = images.shape[1:3]
    flip = rng.random(len(images)) < 0.5
    images[flip] = images[flip, :, ::-1]
    keypoints[flip] = keypoints[flip][:, list(COCO17.mirror)]
    keypoints[flip, :, 0] = width - keypoints[flip, :, 0]
    for index in np.nonzero(rng.random(len(images)) < 0.4)[0]:
        h, w = int(rng.uniform(0.1, 0.4) * height), int(rng.uniform(0.2, 0.6) * width)
        top, left = int(rng.integers(height - h)), int(rng.integers(width - w))
        images[index, top : top + h, left : left + w] = 115
    return images, keypoints
