"""Reading the files of other code: a state dict of tensors and the epochs, without executing anything."""

import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vidreid.errors import first_line
from vidreid.files import archive_damage

_MODULE_PREFIX = "module."


@dataclass(frozen=True)
class ReleasedFile:
    """What a released checkpoint holds.

    Attributes:
        state: The state dict, without the ``module.`` that DataParallel puts before every name.
        epochs: The number of epochs that the file gives, or ``None``.
    """

    state: dict[str, Tensor]
    epochs: int | None


def read_released(path: str | Path) -> ReleasedFile:
    """Read a checkpoint that other code wrote.

    Args:
        path: ``.safetensors``, or a torch file with a state dict or with a dict that has one under
            ``state_dict`` (torchreid: beside ``epoch``, ``rank1`` and ``optimizer``). Numpy numbers and
            arrays beside it, as old torchreid files have them, are tolerated; other objects are not.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read without executing code, or holds no state dict.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}: give the released checkpoint by file=FILE.")
    if path.suffix == ".safetensors":
        try:
            return ReleasedFile(_without_prefix(load_file(path)), None)
        except SafetensorError as error:
            raise ValueError(f"{path} is torn or no safetensors file ({error}): fetch it again.") from error
    content = _load(path)
    state, epochs = content, None
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        state, epochs = content["state_dict"], content.get("epoch")
    if (
        not isinstance(state, Mapping)
        or not state
        or not all(isinstance(value, Tensor) for value in state.values())
    ):
        raise ValueError(
            f"{path} holds no state dict of tensors, neither by itself nor under 'state_dict': "
            "give the file that the released code loads its weights from."
        )
    return ReleasedFile(_without_prefix(state), int(epochs) if isinstance(epochs, int | np.integer) else None)


def _load(path: Path) -> Any:
    try:
        # What torch wrote before it took to ZIP archives has no checksums.
        damage = archive_damage(path) if zipfile.is_zipfile(path) else None
        if damage is not None:
            raise ValueError(damage)
        with torch.serialization.safe_globals(_numpy_numbers()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        if named is None:
            raise ValueError(
                f"{path} is torn or not a checkpoint of torch: fetch it again, or save it again with a "
                "newer torch."
            ) from error
        raise ValueError(
            f"{path} holds objects besides tensors and numbers ({named[1]}), and reading them would execute "
            "code from the file: save the bare state_dict() with the code that wrote it."
        ) from error
    # The reader of archives asks a torn one for bytes before its beginning: an OSError.
    except (RuntimeError, EOFError, zipfile.BadZipFile, ValueError, LookupError, OSError) as error:
        raise ValueError(
            f"{path} is torn or not a checkpoint of torch ({first_line(error)}): fetch it again."
        ) from error


def _numpy_numbers() -> list[Any]:
    """Return what rebuilds numpy numbers and arrays of numbers, under numpy's old and new module names."""
    functions = {"scalar": np.float64(0).__reduce__()[0], "_reconstruct": np.zeros(1).__reduce__()[0]}
    kinds = {type(np.dtype(code)) for code in "?bhilqBHILQefd"}
    rebuild = [
        (function, f"{module}.{name}")
        for module in ("numpy.core.multiarray", "numpy._core.multiarray")
        for name, function in functions.items()
    ]
    return [np.dtype, np.ndarray, *kinds, *rebuild]


def _without_prefix(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {str(key).removeprefix(_MODULE_PREFIX): value for key, value in state.items()}
