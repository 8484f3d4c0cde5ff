"""Checkpoints: tensors and plain configuration, written whole, read without executing code."""

import importlib.metadata
import os
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from torch import Tensor, nn
from typing_extensions import override

from vidreid.errors import first_line
from vidreid.files import archive_damage, write_whole

META_KEY = "vidreid"
VERSIONED = ("vidreid", "torch", "lightning", "timm", "torchmetrics", "albumentations", "numpy")


def method_name(network: nn.Module) -> str:
    """Return the method of a network, such as ``PCB`` or ``KMPNet(PCB)``."""
    visual = getattr(network, "visual", None)
    if visual is None:
        return type(network).__name__
    trunk = type(visual).__name__
    return trunk if getattr(network, "graph", None) is None else f"{type(network).__name__}({trunk})"


def versions(names: Iterable[str] = VERSIONED) -> dict[str, str]:
    """Return the versions of what numbers depend on, or of other packages."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


class WholeFileCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place and moves it there: a kill leaves the old one or the new one."""

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        with write_whole(os.fspath(path)) as temporary:
            torch.save(checkpoint, temporary)


class CheckpointMeta(L.Callback):
    """Puts method, configuration, data protocol, versions and number of processes into every checkpoint.

    Args:
        config: The resolved configuration of the run, plain containers only.
        num_identities: Identities that the classifiers know.
        protocol: Name of the evaluation protocol.
    """

    def __init__(self, config: dict[str, Any], num_identities: int, protocol: str) -> None:
        self.config = config
        self.num_identities = num_identities
        self.protocol = protocol

    @override
    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        network = pl_module.network
        assert isinstance(network, nn.Module)
        meta = checkpoint_meta(network, self.config, self.num_identities, self.protocol)
        checkpoint[META_KEY] = {**meta, "processes": trainer.world_size}


def checkpoint_meta(
    network: nn.Module, config: dict[str, Any], num_identities: int, protocol: str
) -> dict[str, Any]:
    """Return what a checkpoint says of itself; arguments as in ``CheckpointMeta``."""
    return {
        "method": method_name(network),
        "num_identities": num_identities,
        "protocol": protocol,
        "config": config,
        "versions": versions(),
    }


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint of this library.

    Args:
        path: A ``.ckpt`` file of a run.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is torn or damaged, down to a single bit, holds more than tensors and plain
            values, or is not this library's; the sentence says what can be done.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"No checkpoint at {path}: give the .ckpt file of a run, such as RUN/checkpoints/last.ckpt."
        )
    try:
        damage = archive_damage(path)
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}): look after its permissions and the disk."
        ) from error
    if damage is not None:
        raise ValueError(f"{path} is torn or not a checkpoint ({damage}): {_way_out(path)}.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} holds objects besides tensors and plain values ({first_line(error)}) and is not read: "
            "checkpoints of other code go through an importer."
        ) from error
    # A whole archive of something else: torch may miss any part of it.
    except Exception as error:
        raise ValueError(f"{path} is not a checkpoint ({first_line(error)}): {_way_out(path)}.") from error
    if not isinstance(content, dict) or META_KEY not in content:
        raise ValueError(
            f"{path} was not written by vidreid: checkpoints of other code go through an importer."
        )
    return content


def load_network(
    network: nn.Module, path: str | os.PathLike[str], *, part: str | None = None
) -> dict[str, Any]:
    """Load a checkpoint into a network, or one part of it.

    Args:
        network: The network, or with ``part`` the part itself.
        path: The checkpoint file.
        part: Name of a child of the checkpoint's network (``visual``) to take; ``None`` takes all of it.

    Returns:
        What the checkpoint says of itself: method, num_identities, protocol, config, versions, and
        ``epochs``, the number it was trained for (``None``: an imported file that does not say).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the checkpoint is of another method or of another number of identities.
    """
    content = read_checkpoint(path)
    meta = content[META_KEY]
    prefix = "network." if part is None else f"network.{part}."
    state = {
        key[len(prefix) :]: value for key, value in content["state_dict"].items() if key.startswith(prefix)
    }
    wanted = network.state_dict()
    wrong = _mismatches(state, wanted)
    if wrong:
        what = f"{meta['method']} with {meta['num_identities']} identities"
        raise ValueError(
            f"The checkpoint {path} is of another network ({what}) than the one to fill "
            f"({method_name(network)}): {wrong}. Choose the experiment or the data that it was trained with."
        )
    network.load_state_dict(state)
    # An imported checkpoint says itself how long it was trained, if its file did.
    return {"epochs": content["epoch"] + 1, **meta}


def _way_out(path: Path) -> str:
    """Say what can be done about a damaged checkpoint, by what lies around it."""
    run = path.parent.parent
    if path.name not in ("last.ckpt", "best.ckpt") or not (run / "config.yaml").is_file():
        return "use another copy of it"
    if path.name == "best.ckpt":
        return f"use last.ckpt by checkpoint=last, or begin the run anew in another folder than {run}"
    again = (
        f"delete it (and metrics.json, if it is there), and train.py resume={run} trains again from the "
        "beginning"
    )
    if (path.parent / "best.ckpt").is_file():
        return f"copy best.ckpt over it to go on from there, or {again}"
    return again


def _mismatches(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    parts = []
    missing = sorted(wanted.keys() - state.keys())
    unknown = sorted(state.keys() - wanted.keys())
    shapes = [k for k in sorted(wanted.keys() & state.keys()) if wanted[k].shape != state[k].shape]
    if missing:
        parts.append(f"{len(missing)} entries are missing, first {missing[0]}")
    if unknown:
        parts.append(f"{len(unknown)} entries are unknown, first {unknown[0]}")
    if shapes:
        key = shapes[0]
        parts.append(f"{key} is {tuple(state[key].shape)} and should be {tuple(wanted[key].shape)}")
    return "; ".join(parts)
