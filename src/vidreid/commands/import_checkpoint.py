"""``import_checkpoint``: a released checkpoint becomes a run that every other command reads."""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from vidreid.commands import config_dir
from vidreid.commands.building import build_module, plain
from vidreid.commands.plain_errors import plain_errors
from vidreid.files import build_folder_whole, write_json
from vidreid.models.backbones.weights import load_exactly
from vidreid.models.released.file import ReleasedFile, read_released
from vidreid.models.released.methods import METHODS, TRANSFORMERS, ReleasedWeights, describe_released
from vidreid.training.checkpoint import META_KEY, WholeFileCheckpointIO, checkpoint_meta
from vidreid.training.module import ReidModule
from vidreid.training.run_folder import RunFolder

RECORD = "imported.json"
SETTINGS = {
    "num_identities": "num_identities",
    "stripes": "model.visual.stripes",
    "last_stride": "model.visual.last_stride",
    "joints": "data.joints",
    "frames": "data.clip_length",
    "stride": "model.backbone.stride",
    "parts": "model.parts",
    "local_branch": "model.local_branch",
}
"""Where the configuration has what is read from the weights."""


def import_released(
    method: str,
    file: str | Path,
    run: str | Path,
    *,
    overwrite: bool = False,
    overrides: Sequence[str] = (),
) -> Path:
    """Write a run folder with the weights of a released checkpoint.

    The configuration is that of ``experiment=<method>_mars`` with the settings that the weights tell, so
    sampling and protocol are the experiment's. Where MARS lies is told to the commands that read it.

    Args:
        method: See ``describe_released``.
        file: See ``read_released``.
        run: The folder to write. If the same import lies there, nothing is done.
        overwrite: Replace another import that lies there, with what has been evaluated in it.
        overrides: Further overrides of the experiment; they win over what the weights tell.

    Returns:
        The run folder, either whole or as it was.

    Raises:
        FileNotFoundError: If there is no such file.
        FileExistsError: If the folder holds something else.
        ValueError: If the file cannot be read, or is of another method or network.
    """
    released = read_released(file)
    weights = describe_released(method, released.state)
    target = RunFolder(run)
    record = {
        "method": method,
        "file": Path(file).name,
        "sha256": _digest(Path(file)),
        "epochs": released.epochs,
        "settings": weights.options,
        "overrides": list(overrides),
    }
    if _is_there(target.path, record, overwrite):
        return target.path
    config = _compose(method, weights, target, overrides)
    module = build_module(config)
    load_exactly(module.network, weights.state, f"The checkpoint {file}")
    with _place_for(target.path) as folder:
        staged = RunFolder(folder)
        staged.write_config(plain(config))
        content = _checkpoint(module, config, released)
        staged.checkpoints.mkdir()
        WholeFileCheckpointIO().save_checkpoint(content, staged.checkpoint("last"))
        write_json(folder / RECORD, record)
    return target.path


def _compose(method: str, weights: ReleasedWeights, run: RunFolder, overrides: Sequence[str]) -> DictConfig:
    told = [f"{SETTINGS[name]}={value}" for name, value in weights.options.items() if name in SETTINGS]
    if "cameras" in weights.options:
        # The released code counts MARS's cameras 1 to 6 from 0.
        count = int(weights.options["cameras"])
        told += [f"camera_numbers={list(range(1, count + 1))}", f"model.backbone.camera={count > 0}"]
    trunk = "model.backbone" if method in TRANSFORMERS else "model.visual"
    with initialize_config_dir(config_dir(), version_base="1.3"):
        config = compose(
            "train",
            [
                f"experiment={method}_mars",
                "stages=single",
                f"{trunk}.pretrained=false",
                f"{trunk}.weights=null",
                *([f"variant={method}_released"] if method in TRANSFORMERS else []),
                "select=last",
                *told,
                *overrides,
            ],
        )
    config.paths.run_dir = str(run.path)
    if OmegaConf.is_missing(config.data, "root"):
        config.data.root = str(Path(config.paths.data) / "mars")
    return config


def _checkpoint(module: ReidModule, config: DictConfig, released: ReleasedFile) -> dict[str, Any]:
    """Return what a training of the network would have left, but for the state of its optimiser."""
    return {
        # Lightning counts from 0, so the last of n epochs is n - 1.
        "epoch": (released.epochs or 0) - 1,
        "global_step": 0,
        "pytorch-lightning_version": L.__version__,
        "state_dict": module.state_dict(),
        META_KEY: {
            **checkpoint_meta(module.network, plain(config), config.num_identities, config.data.protocol),
            "epochs": released.epochs,
        },
    }


def _is_there(folder: Path, record: dict[str, Any], overwrite: bool) -> bool:
    """Whether a folder holds this very import and nothing is left to do.

    Raises:
        FileExistsError: If it holds anything but an import, or another one that is not to be overwritten.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if not (folder / RECORD).is_file():
        raise FileExistsError(
            f"{folder} exists and is not an imported checkpoint: choose another folder by run=DIR."
        )
    there = json.loads((folder / RECORD).read_text())
    if there != record and not overwrite:
        raise FileExistsError(
            f"{folder} holds the import of another file or of other settings ({there['file']}): choose "
            "another folder by run=DIR, or replace it and what was evaluated in it by overwrite=true."
        )
    return not overwrite


@contextmanager
def _place_for(folder: Path) -> Iterator[Path]:
    """Yield a folder that becomes ``folder`` once it is whole; an import there stays until then."""
    if not (folder / RECORD).is_file():
        with build_folder_whole(folder) as new:
            yield new
        return
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    with build_folder_whole(beside) as new:
        yield new
    shutil.rmtree(folder)
    beside.rename(folder)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@plain_errors
def run_import(settings: DictConfig) -> Path:
    """Import as the settings say and print what can be done next.

    Args:
        settings: As in ``conf/import_checkpoint.yaml``.

    Returns:
        The run folder.
    """
    if settings.method is None or settings.file is None:
        raise ValueError(f"Give method=METHOD ({', '.join(METHODS)}) and file=FILE, the released checkpoint.")
    run = import_released(
        settings.method,
        settings.file,
        settings.run,
        overwrite=settings.overwrite,
        overrides=settings.overrides,
    )
    _print_what_is_there(RunFolder(run))
    return run


def _print_what_is_there(run: RunFolder) -> None:
    record = json.loads((run.path / RECORD).read_text())
    method, told = record["method"], record["settings"]
    epochs = "" if record["epochs"] is None else f" after {record['epochs']} epochs"
    settings = ", ".join(f"{name} {value}" for name, value in told.items())
    print(f"{run.path}: {method} of {record['file']}{epochs}, {settings}")
    print(f"evaluate it:    python src/eval.py run={run.path} data.root=MARS_DIR")
    print(f"export it:      python src/export.py run={run.path}")
    if method in TRANSFORMERS:
        return
    experiment = method if method.startswith("kmpnet") else f"kmpnet_{method}"
    visual = [f"{SETTINGS[name]}={told[name]}" for name in ("stripes", "last_stride") if name in told]
    command = f"python src/train.py experiment={experiment}_mars data.root=MARS_DIR"
    print("start from it: ", command, *visual, f"visual_checkpoint={run.checkpoint('last')}")


def main() -> None:
    """Run the command with ``key=value`` arguments over ``conf/import_checkpoint.yaml``."""
    settings = OmegaConf.load(Path(config_dir()) / "import_checkpoint.yaml")
    OmegaConf.set_struct(settings, True)
    try:
        given = OmegaConf.merge(settings, OmegaConf.from_cli(sys.argv[1:]))
    except Exception as error:
        keys = ", ".join(map(str, settings))
        print(f"error: {str(error).splitlines()[0]}; the keys are {keys}", file=sys.stderr)
        sys.exit(2)
    assert isinstance(given, DictConfig)
    run_import(given)
