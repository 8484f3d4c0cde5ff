"""KeyRe-ID with its shortcuts and without, in one run: time to describe and to train a step, peak memory.

The released KeyRe-ID is ViT-B/16 at 256x128, clips of 4 frames, six parts of a 3072-wide block. The slow
network computes all rows of the last blocks, six times for the parts, and reads one row of each, as the
released code does; the fast one computes what is read. The two take turns; their outputs are compared first.
Peak memory is that of one step in a process of its own, above what it had before the step.

Run alone: ``python benchmarks/key_reid.py``; ``--tiny`` runs it in seconds.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from training_step import interleaved

from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.key_reid import KeyReID
from vidreid.models.two_branch_transformer import TwoBranchTransformer
from vidreid.models.vid_trans_reid import VidTransReID


@dataclass(frozen=True)
class Size:
    """Size of a measurement.

    Attributes:
        vit: Options of the trunk beside its name.
        frame: Height and width.
        clips: Clips a batch.
        frames: Frames a clip.
        identities: Number of classes.
        repeats: Measured turns.
    """

    vit: tuple[tuple[str, int], ...] = ()
    frame: tuple[int, int] = (256, 128)
    clips: int = 2
    frames: int = 4
    identities: int = 625
    repeats: int = 3


TINY = Size((("embedding", 24), ("depth", 2), ("heads", 2)), (64, 32), 2, 2, 3, 1)
METHODS = ("key_reid_released", "key_reid_fixed", "vid_trans_reid")


def make_network(method: str, size: Size, shortcuts: bool) -> TwoBranchTransformer:
    """Return a network with the same weights for every call; without stochastic depth."""
    torch.manual_seed(0)
    name = "vit_base_patch16_224"
    trunk = VisionTransformer(
        name, height=size.frame[0], width=size.frame[1], cameras=[1, 2], drop_path=0.0, **dict(size.vit)
    )
    if method == "vid_trans_reid":
        parts = 4 if size.frame == (256, 128) else 2
        return VidTransReID(
            size.identities, trunk, size.frames, tokens="released", parts=parts, shortcuts=shortcuts
        )
    tokens, guidance = ("released", "released") if method == "key_reid_released" else ("frames", "fixed")
    return KeyReID(
        size.identities,
        trunk,
        frames=size.frames,
        tokens=tokens,
        part_guidance=guidance,
        shortcuts=shortcuts,
    )


def batch(size: Size) -> tuple[Tensor, Tensor, Tensor]:
    """Return images, keypoints and cameras."""
    generator = torch.Generator().manual_seed(0)
    height, width = size.frame
    images = torch.randn(size.clips, size.frames, 3, height, width, generator=generator)
    places = torch.rand(size.clips, size.frames, 17, 2, generator=generator) * torch.tensor([width, height])
    keypoints = torch.cat([places, torch.ones(size.clips, size.frames, 17, 1)], -1)
    return images, keypoints, torch.ones(size.clips, dtype=torch.long)


def describe(network: nn.Module, size: Size) -> Any:
    """Return a function that describes a batch."""
    inputs = batch(size)
    network.eval()

    def step() -> Tensor:
        with torch.no_grad():
            return network.describe(*inputs)

    return step


def train(network: nn.Module, size: Size) -> Any:
    """Return a function that does forward, loss, backward and one step of SGD."""
    images, keypoints, cameras = batch(size)
    pids = torch.arange(size.clips) % size.identities
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9)
    network.train()

    def step() -> None:
        optimizer.zero_grad(set_to_none=False)
        outputs = network(images, keypoints, cameras)
        heads = [nn.functional.cross_entropy(logit, pids) for logit in outputs.logits.values()]
        torch.stack(heads).sum().backward()
        optimizer.step()

    return step


def peak_of_step(method: str, size: Size, shortcuts: bool, queue: Any) -> None:
    """Put the bytes that a training step adds to the process's peak into a queue."""
    network = make_network(method, size, shortcuts)
    step = train(network, size)
    # Gradients are there before: what a step adds are activations and what is made of them.
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    step()
    queue.put(_memory("VmHWM") - before)


def _memory(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {key}")


def measure_memory(method: str, size: Size) -> dict[str, int]:
    """Return the peak of a training step of the fast and of the slow network, each in a new process."""
    found = {}
    context = multiprocessing.get_context("spawn")
    for name, shortcuts in (("fast", True), ("slow", False)):
        queue = context.Queue()
        process = context.Process(target=peak_of_step, args=(method, size, shortcuts, queue))
        process.start()
        found[name] = queue.get()
        process.join()
    return found


def measure(method: str, size: Size) -> dict[str, Any]:
    """Measure one method."""
    fast, slow = (make_network(method, size, shortcuts) for shortcuts in (True, False))
    one, other = describe(fast, size)(), describe(slow, size)()
    difference = float((one - other).abs().max() / other.abs().max())
    assert difference < 1e-4, f"{method}: fast and slow differ by {difference}"
    result: dict[str, Any] = {"largest_relative_difference": difference}
    for kind, make in (("describe", describe), ("train", train)):
        seconds = interleaved({"fast": make(fast, size), "slow": make(slow, size)}, size.repeats)
        median = {name: statistics.median(values) for name, values in seconds.items()}
        result[kind] = {
            "times_faster": median["slow"] / median["fast"],
            **{f"{name}_seconds_a_clip": value / size.clips for name, value in median.items()},
        }
    del fast, slow
    peaks = measure_memory(method, size)
    result["train_peak_memory"] = {
        "fast_over_slow": peaks["fast"] / peaks["slow"],
        **{f"{name}_mib": value / 2**20 for name, value in peaks.items()},
    }
    return result


def run(size: Size | None = None) -> dict[str, Any]:
    """Measure all methods."""
    return {method: measure(method, size or Size()) for method in METHODS}


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args(arguments)
    print(json.dumps(run(TINY if options.tiny else None), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
