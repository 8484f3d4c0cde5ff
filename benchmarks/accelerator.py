"""Training steps on a GPU: PCB and KMPNet(PCB), or VID-Trans-ReID and KeyRe-ID, eager and compiled.

ResNet-50 with 16 clips of 8 frames, or ViT-B/16 (``--method key_reid``) with 16 clips of 4 frames, at
256x128, bfloat16 autocast, channels-last weights. A step is forward, loss, backward and Adam. The variants
take turns, and the clock is read when the device has finished. Speeds stand beside the peak of the chip; the
share of it counts the products and convolutions of a step (forward and backward, a multiply-add as two) that
``torch.utils.flop_counter`` sees, so that it is a lower bound of what the chip did.

Run as ``python benchmarks/accelerator.py > accelerator.json``; ``--tiny`` runs it in seconds anywhere.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from training_step import clip_keypoints, interleaved

from vidreid.losses.identity import IdentityLoss
from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.key_reid import KeyReID
from vidreid.models.kmpnet import GraphBranch, KMPNet
from vidreid.models.network import ReidNetwork
from vidreid.models.pcb import PCB
from vidreid.models.vid_trans_reid import VidTransReID
from vidreid.models.visual_network import VisualNetwork

PEAK_TFLOPS = 989.0
PEAK_NAME = "dense bfloat16 of an H100 or H200 (SXM)"
MODES = ("eager", "compiled")


@dataclass(frozen=True)
class Size:
    """Size of a measurement.

    Attributes:
        backbone: A ResNet or ViT of timm.
        frame: Height and width.
        clips: Clips a step.
        frames: Frames a clip.
        identities: Number of classes.
        steps: Steps a turn.
        turns: Measured turns.
        channels: Widths of a narrow backbone.
        layers: Layers of the graph.
        vit: Width, blocks and heads of a small ViT.
    """

    backbone: str = "resnet50"
    frame: tuple[int, int] = (256, 128)
    clips: int = 16
    frames: int = 8
    identities: int = 625
    steps: int = 10
    turns: int = 7
    channels: tuple[int, ...] | None = None
    layers: tuple[int, ...] = (5, 7, 11, 4)
    vit: tuple[int, int, int] | None = None


TINY = Size("resnet18", (64, 32), 2, 2, 5, 1, 2, (4, 8, 8, 16), (1, 1, 1, 1))
SIZES = {"kmpnet": Size(), "key_reid": Size("vit_base_patch16_224", frames=4)}
"""What is measured by the method: it and the network that it is compared with."""
TINY_SIZES = {
    "kmpnet": TINY,
    "key_reid": Size("vit_tiny_patch16_224", (64, 32), 2, 2, 5, 1, 2, vit=(24, 2, 2)),
}


@dataclass
class Variant:
    """One network in one mode.

    Attributes:
        network: The network, compiled or not.
        step: One training step.
        flops: Counted operations of a step, 0 if not counted.
        peak_bytes: Most memory of a step beside what was allocated before, 0 without a GPU.
    """

    network: nn.Module
    step: Callable[[], None]
    flops: int = 0
    peak_bytes: int = 0


def make_networks(size: Size) -> dict[str, ReidNetwork]:
    """Return the networks that are compared: first the plain one, then the one with keypoints."""
    if size.backbone.startswith("vit"):
        return make_transformers(size)

    def pcb() -> PCB:
        return PCB(size.identities, size.backbone, channels=size.channels)

    graph = partial(GraphBranch, size.identities, layers=size.layers)
    return {"pcb": VisualNetwork(pcb()), "kmpnet": KMPNet(pcb(), graph)}


def make_transformers(size: Size) -> dict[str, ReidNetwork]:
    """Return VID-Trans-ReID and KeyRe-ID on trunks of their own."""
    width, depth, heads = size.vit or (None, None, None)

    def trunk() -> VisionTransformer:
        return VisionTransformer(
            size.backbone,
            height=size.frame[0],
            width=size.frame[1],
            cameras=[1],
            embedding=width,
            depth=depth,
            heads=heads,
        )

    return {
        "vid_trans_reid": VidTransReID(size.identities, trunk(), size.frames),
        "key_reid": KeyReID(size.identities, trunk(), "body12", size.frames),
    }


def training_step(network: nn.Module, size: Size, device: torch.device) -> Callable[[], None]:
    """Return a function that does one training step on made-up clips that lie on the device."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(size.clips, size.frames, 3, *size.frame, generator=generator).to(device)
    keypoints = clip_keypoints(size.clips, size.frames, size.frame, generator).to(device)
    pids = torch.randint(size.identities, (size.clips,), generator=generator).to(device)
    loss = IdentityLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, weight_decay=5e-4)

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16):
            outputs = network(images, keypoints)
            value = loss(outputs.logits, outputs.embeddings, pids).value
        value.backward()
        optimizer.step()

    return step


def wait_for(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def make_variant(network: ReidNetwork, size: Size, device: torch.device, backend: str | None) -> Variant:
    """Return a warm variant: compiled if a backend is named, its operations counted if not."""
    network.to(device, memory_format=torch.channels_last).train()  # pyright: ignore
    if backend is not None:
        network.compile(backend=backend)
    variant = Variant(network, training_step(network, size, device))
    for _ in range(3):
        variant.step()
    wait_for(device)
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        variant.step()
        wait_for(device)
        variant.peak_bytes = torch.cuda.max_memory_allocated(device) - before
    if backend is None:
        with FlopCounterMode(display=False) as counter:
            variant.step()
        variant.flops = counter.get_total_flops()
    return variant


def run(
    size: Size | None = None,
    modes: Sequence[str] = MODES,
    peak_tflops: float = PEAK_TFLOPS,
    backend: str = "inductor",
) -> dict[str, Any]:
    """Measure on the GPU, or without one on the processor.

    Args:
        size: What to measure.
        modes: ``eager``, ``compiled`` or both.
        peak_tflops: Peak of the chip in 10^12 operations a second.
        backend: Compiler behind ``torch.compile``.

    Returns:
        The setting, for every network and mode frames a second and the share of the peak, and for every mode
        the overhead of the network with keypoints over the plain one.
    """
    size = size or Size()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    variants: dict[tuple[str, str], Variant] = {}
    flops: dict[str, int] = {}
    for mode in MODES:
        for name, network in make_networks(size).items():
            if mode == "eager" or mode in modes:
                # The compiled step does the same products: they are counted on the eager one.
                variant = make_variant(network, size, device, None if mode == "eager" else backend)
                flops.setdefault(name, variant.flops)
                if mode in modes:
                    variants[name, mode] = variant

    def turn(variant: Variant) -> None:
        for _ in range(size.steps):
            variant.step()
        wait_for(device)

    seconds = interleaved(
        {f"{name}_{mode}": partial(turn, variant) for (name, mode), variant in variants.items()}, size.turns
    )
    results: dict[str, Any] = {}
    step_seconds: dict[str, float] = {}
    for (name, mode), variant in variants.items():
        key = f"{name}_{mode}"
        one = step_seconds[key] = statistics.median(seconds[key]) / size.steps
        achieved = flops[name] / one / 1e12
        results[key] = {
            "step_ms": 1e3 * one,
            "frames_per_second": size.clips * size.frames / one,
            "clips_per_second": size.clips / one,
            "gflop_a_step": flops[name] / 1e9,
            "tflops": achieved,
            "share_of_peak": achieved / peak_tflops if device.type == "cuda" else None,
            "peak_memory_gib": variant.peak_bytes / 2**30,
        }
    plain, with_keypoints = flops
    return {
        "setting": {
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "processor",
            "torch": torch.__version__,
            "network": f"{size.backbone} at {size.frame[0]}x{size.frame[1]}",
            "batch": f"{size.clips} clips of {size.frames} frames",
            "precision": "bfloat16 autocast, channels last",
            "peak_tflops": peak_tflops,
            "peak_is": PEAK_NAME if peak_tflops == PEAK_TFLOPS else "as given",
            "turns": f"{size.turns} of {size.steps} steps",
        },
        "variants": results,
        "overhead_ratio": {
            mode: step_seconds[f"{with_keypoints}_{mode}"] / step_seconds[f"{plain}_{mode}"]
            for mode in MODES
            if mode in modes
        },
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Training steps on a GPU, as JSON.")
    parser.add_argument("--method", choices=sorted(SIZES), default="kmpnet")
    parser.add_argument("--tiny", action="store_true", help="a tiny size that runs without a GPU")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--backend", default="inductor", help="compiler behind torch.compile")
    parser.add_argument(
        "--peak-tflops", type=float, default=PEAK_TFLOPS, help=f"default: {PEAK_TFLOPS:g}, {PEAK_NAME}"
    )
    given = parser.parse_args(arguments)
    if not given.tiny and not torch.cuda.is_available():
        print("This benchmark needs a GPU and torch sees none: use --tiny to try it out.", file=sys.stderr)
        return 1
    size = (TINY_SIZES if given.tiny else SIZES)[given.method]
    print(json.dumps(run(size, given.modes, given.peak_tflops, given.backend), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
