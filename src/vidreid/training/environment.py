"""What the numbers of a run depend on besides its configuration: versions, machine, threads."""

import os
import platform
from pathlib import Path
from typing import Any

import cv2
import torch

from vidreid.training.checkpoint import versions

PACKAGES = (
    "vidreid",
    "torch",
    "torchvision",
    "torch-scatter",
    "lightning",
    "timm",
    "torchmetrics",
    "albumentations",
    "opencv-python-headless",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "h5py",
    "pillow",
    "safetensors",
    "hydra-core",
    "omegaconf",
)


def environment() -> dict[str, Any]:
    """Return versions, machine and threads as plain values; names of host and user are not among them."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()}, {'-'.join(platform.libc_ver())}",
        "packages": {**versions(PACKAGES), "torch": torch.__version__},  # with what it was built for
        "processor": {
            "name": processor_name(),
            "machine": platform.machine(),
            # Which vector instructions torch uses: sums are ordered by them.
            "instructions": torch.backends.cpu.get_cpu_capability(),
            "cores": os.cpu_count(),
            "usable_cores": len(os.sched_getaffinity(0)),
        },
        "threads": {
            "torch": torch.get_num_threads(),
            "torch_between_operations": torch.get_num_interop_threads(),
            "opencv": cv2.getNumThreads(),
        },
        "gpu": _gpu(),
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def processor_name() -> str:
    """Return the processor's name, as Linux gives it where it does."""
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor()


def _gpu() -> dict[str, Any] | None:
    if not torch.cuda.is_available():
        return None
    return {
        "names": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())],
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }
