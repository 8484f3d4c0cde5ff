"""A folder of crops with its manifest, which is whole or can be gone on with."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from vidreid.errors import DataError
from vidreid.files import read_json, write_json, write_whole

SETTINGS = "crop.json"
MANIFEST = "manifest.csv"
COLUMNS = ["tracklet", "frame_path", "person", "camera", "frame_number", "role"]
_PARTS = ".parts"


class CropFolder:
    """Where crops and the manifest are written.

    The settings are written first and the manifest last, so a folder with a manifest is whole. In between,
    parts lie in a hidden folder, each all or none.
    """

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is written."""
        self.path = path
        self.parts = path / _PARTS
        self.manifest = path / MANIFEST

    @contextmanager
    def opened(self, settings: dict[str, Any]) -> Iterator[None]:
        """Make the folder for these settings, or find it, and keep other processes out.

        Args:
            settings: As JSON has them.

        Raises:
            FileExistsError: If it holds something else, other settings, or another process cuts into it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise FileExistsError(f"{self.path} is a file: choose another folder by out=DIR.")
        self.path.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDONLY)
        try:
            self._lock(handle)
            self._clear_away()
            self._check(settings)
            yield
        finally:
            os.close(handle)

    def is_whole(self) -> bool:
        """Tell whether nothing is left to do."""
        return self.manifest.is_file()

    def gather(self, crops: pd.DataFrame, found_in: dict[int, Path]) -> None:
        """Move the crops of all parts to their places and write the manifest.

        Args:
            crops: See ``Plan``.
            found_in: The file of each row in its part.

        Raises:
            DataError: If a crop has been removed meanwhile.
        """
        for folder in sorted({Path(path).parent for path in crops["frame_path"]}):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        for row, frame_path in enumerate(crops["frame_path"].tolist()):
            place = self.path / frame_path
            if found_in[row].exists():
                found_in[row].replace(place)
            elif not place.is_file():
                # Not moved before an interruption either.
                raise DataError(f"{place} has been removed: remove {self.path} and start again.")
        with write_whole(self.manifest) as temporary:
            columns = [name for name in COLUMNS if name in crops]
            crops[columns].to_csv(temporary, index=False, lineterminator="\n")
        shutil.rmtree(self.parts)

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FileExistsError(
                f"Another process cuts into {self.path}: wait for it, or choose another folder by out=DIR."
            ) from error

    def _clear_away(self) -> None:
        """Remove what a killed process has left half-written."""
        for name in (SETTINGS, MANIFEST):
            for path in self.path.glob(f".{name}.partial-*"):
                path.unlink()
        for path in self.parts.glob(".*.partial-*"):
            shutil.rmtree(path)
        if self.is_whole() and self.parts.is_dir():
            shutil.rmtree(self.parts)

    def _check(self, settings: dict[str, Any]) -> None:
        file = self.path / SETTINGS
        if not file.is_file():
            if any(self.path.iterdir()):
                raise FileExistsError(
                    f"{self.path} is not empty and holds no crops of this command: choose another folder by "
                    "out=DIR."
                )
            write_json(file, settings)
            return
        try:
            found = _flat(read_json(file))
        except (ValueError, RecursionError) as error:
            raise DataError(f"{file} is damaged: remove {self.path} and start again.") from error
        wanted = _flat(settings)
        different = [name for name in (found | wanted) if found.get(name) != wanted.get(name)]
        if different:
            name = different[0]
            more = f", and {len(different) - 1} more" if len(different) > 1 else ""
            raise FileExistsError(
                f"{self.path} holds crops with other settings ({name}: {json.dumps(found.get(name))} there, "
                f"{json.dumps(wanted.get(name))} here{more}): choose another folder by out=DIR, or remove it."
            )


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict | list):
        return {prefix: tree}
    branches = tree.items() if isinstance(tree, dict) else enumerate(tree, start=1)
    return {
        name: value
        for key, branch in branches
        for name, value in _flat(branch, f"{prefix}.{key}" if prefix else str(key)).items()
    }
