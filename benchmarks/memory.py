"""What the settings for memory save and cost: peak of a training step and its time, each in its own process.

A step is forward, losses (identity and triplet over all clips of the batch) and backward. The peak is that of
the process above what it had before its first step, weights and gradients. The time is that of one thread on
the processor, the least of the steps after the first, so that other work on the machine matters little. All
variants of a trunk begin with the same weights, and their losses are compared first where they must be equal.
The last rows are an evaluation of one tracklet of 900 frames and of one of 90.

Run alone: ``python benchmarks/memory.py``, one thread; ``--tiny`` runs it in seconds.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import lightning as L
import numpy as np
import torch

from vidreid.commands.quiet import quiet
from vidreid.data.batch import ClipBatch
from vidreid.data.own_data import ManifestDataModule
from vidreid.losses.branch_triplet import BranchTripletLoss
from vidreid.losses.identity import IdentityLoss
from vidreid.losses.recipe import LossRecipe
from vidreid.metrics.reid import ReidMetric
from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.key_reid import KeyReID
from vidreid.models.network import ReidNetwork
from vidreid.models.pcb import PCB
from vidreid.models.visual_network import VisualNetwork
from vidreid.training.module import ReidModule


@dataclass(frozen=True)
class Size:
    """Size of a measurement.

    Attributes:
        frame: Height and width in training.
        clips: Clips of a batch, two of each identity.
        frames: Frames of a clip.
        vit: Options of the transformer.
        resnet: Options of the convolutional network.
        steps: Timed steps.
        tracklets: Frames of the two tracklets that are evaluated.
        test_frame: Height and width there.
    """

    frame: tuple[int, int] = (256, 128)
    clips: int = 8
    frames: int = 4
    vit: tuple[tuple[str, Any], ...] = (("name", "vit_small_patch16_224"),)
    resnet: tuple[tuple[str, Any], ...] = (("backbone", "resnet50"),)
    steps: int = 1
    tracklets: tuple[int, int] = (900, 90)
    test_frame: tuple[int, int] = (128, 64)


TINY = Size(
    frame=(64, 32),
    vit=(("name", "vit_tiny_patch16_224"), ("embedding", 24), ("depth", 3), ("heads", 2)),
    resnet=(("backbone", "resnet10t"), ("channels", (8, 16, 24, 32))),
    steps=1,
    tracklets=(20, 10),
    test_frame=(64, 32),
)
TRUNKS = ("vit", "resnet")
VARIANTS: dict[str, dict[str, Any]] = {
    "whole_batch": {},
    "micro_batch_of_a_quarter": {"quarter": True},
    "checkpoint": {"checkpoint": True},
    "both": {"quarter": True, "checkpoint": True},
    "bf16-mixed": {"half": True},
}


def make_module(trunk: str, size: Size, checkpoint: bool, micro_batch: int | None) -> ReidModule:
    """Return a training with the same weights for every call; nothing in it is random."""
    torch.manual_seed(0)
    network: ReidNetwork
    if trunk == "vit":
        height, width = size.frame
        vit = VisionTransformer(
            height=height, width=width, camera="off", drop_path=0.0, checkpoint=checkpoint, **dict(size.vit)
        )
        network = KeyReID(size.clips // 2, vit, frames=size.frames)
    else:
        network = VisualNetwork(PCB(size.clips // 2, dropout=0.0, checkpoint=checkpoint, **dict(size.resnet)))
    losses = LossRecipe({"identity": IdentityLoss(), "triplet": BranchTripletLoss()})
    return module_of(network, losses, micro_batch)


def module_of(network: ReidNetwork, losses: LossRecipe, micro_batch: int | None = None) -> ReidModule:
    """Return a module that is never fitted."""
    module = ReidModule(
        network,
        losses,
        lambda named: torch.optim.SGD([parameter for _, parameter in named], lr=0.0),
        lambda optimizer, steps, epochs: torch.optim.lr_scheduler.ConstantLR(optimizer),
        ReidMetric,
        micro_batch=micro_batch,
    )
    module.log = lambda *args, **kwargs: None  # type: ignore[method-assign]  # there is no trainer
    return module


def batch(size: Size) -> ClipBatch:
    """Return a training batch of noise."""
    generator = torch.Generator().manual_seed(0)
    height, width = size.frame
    shape = (size.clips, size.frames)
    images = torch.randint(0, 256, (*shape, 3, height, width), generator=generator, dtype=torch.uint8)
    places = torch.rand(*shape, 17, 2, generator=generator) * torch.tensor([width, height])
    pids = torch.arange(size.clips) // 2
    none = torch.zeros(size.clips, dtype=torch.long)
    keypoints = torch.cat([places, torch.ones(*shape, 17, 1)], -1)
    return ClipBatch(images, keypoints, pids, none, none, none, none)


def train(trunk: str, variant: str, size: Size) -> dict[str, float]:
    """Return loss, peak and time of a training step; for a process of its own."""
    torch.set_num_threads(1)
    options = VARIANTS[variant]
    micro_batch = size.clips // 4 if options.get("quarter") else None
    module = make_module(trunk, size, options.get("checkpoint", False), micro_batch).train()
    clips = batch(size)
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)

    def step() -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=options.get("half", False)):
            loss = module.training_step(clips, 0)
        loss.backward()
        return float(loss.detach())

    loss, peak = peak_of(step)
    seconds = []
    for _ in range(size.steps):
        start = time.process_time()
        step()
        seconds.append(time.process_time() - start)
    return {"loss": loss, "peak_mib": peak / 2**20, "seconds_a_step": min(seconds)}


def write_tracklet(root: Path, frames: int, size: Size) -> None:
    """Write a manifest with a gallery tracklet of many frames, a query, and two people to train on."""
    generator = np.random.default_rng(0)
    rows = ["tracklet,frame_path,person,camera,role"]
    kinds = [("a", "train", 4), ("b", "train", 4), ("q", "query", 4), ("g", "gallery", frames)]
    for name, role, count in kinds:
        for frame in range(count):
            file = f"{name}{frame:04d}.jpg"
            picture = generator.integers(0, 256, (*size.test_frame, 3), dtype=np.uint8)
            cv2.imwrite(str(root / file), picture)
            rows.append(
                f"{name},{file},{'p' if role in ('query', 'gallery') else name},{role == 'query'},{role}"
            )
    (root / "manifest.csv").write_text("\n".join(rows) + "\n")


def evaluate(frames: int, size: Size) -> dict[str, float]:
    """Return peak and time of an evaluation with a tracklet of so many frames; for a process of its own."""
    torch.set_num_threads(1)
    height, width = size.test_frame
    with tempfile.TemporaryDirectory() as folder:
        write_tracklet(Path(folder), frames, size)
        data = ManifestDataModule(
            folder, height=height, width=width, test_clip_length=size.frames, test_sampling="dense",
            test_batch_size=size.clips, keypoints=None, workers=0,
        )  # fmt: skip
        torch.manual_seed(0)
        network = VisualNetwork(PCB(2, "resnet18", stripes=2))
        module = module_of(network, LossRecipe({"identity": IdentityLoss()}))
        start = time.process_time()
        with quiet():
            trainer = L.Trainer(
                accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
                enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
            )  # fmt: skip
            _, peak = peak_of(lambda: trainer.test(module, datamodule=data, verbose=False))
        return {"peak_mib": peak / 2**20, "seconds": time.process_time() - start}


def peak_of(step: Callable[[], Any]) -> tuple[Any, int]:
    """Return a function's result and the bytes that it adds to this process's memory at its peak."""
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    result = step()
    return result, _memory("VmHWM") - before


def _memory(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {key}")


def alone(function: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    """Return what a function gives in a new process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(function, arguments)


def measured(size: Size) -> list[str]:
    """Return the variants to measure: without AVX-512 a processor takes minutes to a step in bfloat16."""
    fast = size == TINY or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return [variant for variant, options in VARIANTS.items() if fast or not options.get("half")]


def measure_training(trunk: str, size: Size) -> dict[str, Any]:
    """Measure the variants of a trunk; ratios are to the whole batch."""
    found = {variant: alone(train, trunk, variant, size) for variant in measured(size)}
    whole = found["whole_batch"]
    difference = abs(found["checkpoint"]["loss"] - whole["loss"])
    assert difference < 1e-5 * abs(whole["loss"]), f"{trunk}: checkpoint changes the loss by {difference}"
    return {
        variant: {
            "peak_ratio": values["peak_mib"] / whole["peak_mib"],
            "time_ratio": values["seconds_a_step"] / whole["seconds_a_step"],
            **values,
        }
        for variant, values in found.items()
    }


def run(size: Size | None = None) -> dict[str, Any]:
    """Measure everything."""
    size = size or Size()
    result: dict[str, Any] = {trunk: measure_training(trunk, size) for trunk in TRUNKS}
    long, short = (alone(evaluate, frames, size) for frames in size.tracklets)
    result["evaluation_of_a_tracklet"] = {
        "peak_ratio": long["peak_mib"] / short["peak_mib"],
        **{f"{frames}_frames": values for frames, values in zip(size.tracklets, (long, short), strict=True)},
    }
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args(arguments)
    print(json.dumps(run(TINY if options.tiny else None), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
