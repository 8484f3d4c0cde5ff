"""``make bench``: every benchmark in one run, ratios first, with versions and machine in a JSON file."""

import json
import os
import platform
import sys
from datetime import date
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))

import accelerator
import evaluation
import evaluation_accelerator
import evaluation_scale
import key_reid
import loader
import memory
import packed_frames
import reference_stack
import reranking
import training_step

from vidreid.files import write_json
from vidreid.training.checkpoint import versions
from vidreid.training.environment import processor_name


def machine() -> dict[str, object]:
    """Return what the figures were measured on."""
    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "versions": versions(),
        "date": date.today().isoformat(),
    }


def main() -> None:
    results: dict[str, object] = {"machine": machine()}
    benchmarks = {
        "loader": loader.run,
        "packed_frames": packed_frames.run,
        "training_step": training_step.run,
        "key_reid": key_reid.run,
        "memory": memory.run,
        "reference_stack": reference_stack.run,
        "evaluation": evaluation.run,
        "evaluation_scale": evaluation_scale.run,
        "reranking": reranking.run,
    }
    if torch.cuda.is_available():
        benchmarks["accelerator"] = accelerator.run
        benchmarks["evaluation_accelerator"] = evaluation_accelerator.run
    for name, run in benchmarks.items():
        print(f"== {name}", flush=True)
        results[name] = run()
        print(json.dumps(results[name], indent=2), flush=True)
    file = Path(__file__).with_name("results.json")
    write_json(file, results)
    print(f"written to {file}")


if __name__ == "__main__":
    main()
