"""Whether two runs ended alike, bit for bit, but for times and places."""

import csv
import json
from pathlib import Path
from typing import Any

import torch

TIMES = "frames_per_second"


def run_differences(one: Path, other: Path) -> list[str]:
    """Return the names of what differs: of last.ckpt, best.ckpt, the log's rows and metrics.json."""
    different = []
    for name, read in {
        "last.ckpt": lambda run: checkpoint(run, "last"),
        "best.ckpt": lambda run: checkpoint(run, "best"),
        "metrics.csv": log,
        "metrics.json": lambda run: flat(json.loads((run / "metrics.json").read_text())),
    }.items():
        a, b = read(one), read(other)
        different += [f"{name}: {key}" for key in a.keys() | b.keys() if not _equal(a.get(key), b.get(key))]
    return sorted(different)


def checkpoint(run: Path, which: str) -> dict[str, Any]:
    """Return everything of a checkpoint that must repeat: weights, states of training and of callbacks."""
    file = run / "checkpoints" / f"{which}.ckpt"
    if not file.is_file():
        assert which == "best"
        return {}
    content = torch.load(file, weights_only=True)
    del content["vidreid"]["config"]  # it has the folder and how many processes load the data
    del content["callbacks"]["FramesPerSecond"]
    for name, state in content["callbacks"].items():
        if name.startswith("ModelCheckpoint"):
            # The folder may be another one, and a copied file names the folder that it was written in.
            del state["dirpath"]
            for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
                state[key] = Path(state[key]).name
            state["best_k_models"] = {Path(k).name: score for k, score in state["best_k_models"].items()}
    values = flat(content)
    tensors = [key for key, value in values.items() if isinstance(value, torch.Tensor) and value.numel()]
    for part in ("state_dict", "optimizer_states"):
        assert sum(key.startswith(f"/{part}") for key in tensors) > 10, part
    return values


def log(run: Path) -> dict[str, Any]:
    """Return the rows of a run's log, without times."""
    with (run / "csv" / "metrics.csv").open(newline="") as source:
        rows = list(csv.DictReader(source))
    assert len(rows) > 1
    return {f"{n}": {k: v for k, v in row.items() if TIMES not in k} for n, row in enumerate(rows)}


def flat(tree: Any, place: str = "") -> dict[str, Any]:
    if isinstance(tree, dict):
        return {k: v for key, branch in tree.items() for k, v in flat(branch, f"{place}/{key}").items()}
    if isinstance(tree, list | tuple):
        return {k: v for n, branch in enumerate(tree) for k, v in flat(branch, f"{place}/{n}").items()}
    return {place: tree}


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        # Bytes: equal zeros of two signs would not do.
        return a.dtype == b.dtype and a.shape == b.shape and bytes_of(a) == bytes_of(b)
    return type(a) is type(b) and a == b


def bytes_of(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
