"""A run folder says what was run: command, code, versions, machine and seeds, for each of its starts."""

import hashlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightning as L
from typing_extensions import override

from vidreid.errors import DataError
from vidreid.files import read_json, write_json, write_whole
from vidreid.training.code_state import CodeState, code_state
from vidreid.training.environment import environment
from vidreid.training.run_folder import RunFolder

_SHOWN = 6
_HEX = 10
# What differs in these does not change a number, or is said in other words.
_OF_NO_WEIGHT = {
    "time", "after_epochs", "command", "sweep_job", "code.branch", "code.patch", "processor.cores",
    "processor.usable_cores", "threads.torch_between_operations", "threads.opencv",
}  # fmt: skip


class Provenance(L.Callback):
    """Writes ``environment.json`` when a training starts or goes on, on the first process only.

    Under ``started`` stands the first start, under ``continued`` one entry a continuation; if code, versions
    or machine differ from the start, one printed sentence says so. What is not committed of the code lies
    beside it as ``uncommitted.patch`` (of the second start ``uncommitted-2.patch``, and so on).

    Args:
        run: The run folder.
        seeds: The seeds of the run by name.
        sources: Folders of the code and of the configuration.
        sweep_job: What a sweep sets for this run, if it is one of a sweep.
    """

    def __init__(
        self,
        run: RunFolder,
        seeds: Mapping[str, Any],
        sources: Sequence[Path],
        sweep_job: Sequence[str] | None = None,
    ) -> None:
        self.run, self.seeds, self.sources, self.sweep_job = run, dict(seeds), sources, sweep_job
        self._epochs = 0

    @override
    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self._epochs = checkpoint["epoch"] + 1

    @override
    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "after_epochs": self._epochs,
            "command": [without_home(word) for word in sys.argv],
            "sweep_job": None if self.sweep_job is None else [without_home(word) for word in self.sweep_job],
            "seeds": self.seeds,
            "processes": {"world_size": trainer.world_size, "nodes": trainer.num_nodes},
            "device": trainer.strategy.root_device.type,
            "precision": str(trainer.precision),
            **environment(),
        }
        note = record_start(self.run, entry, code_state(self.sources))
        if note is not None:
            print(f"note: {note}")


def record_start(run: RunFolder, entry: dict[str, Any], code: CodeState | None) -> str | None:
    """Add an entry to ``environment.json`` and return what there is to say about it.

    Args:
        run: The run folder.
        entry: Plain values; ``code`` is added.
        code: The state of the code, if git knows it.

    Returns:
        A sentence if something differs from the first start, else ``None``.

    Raises:
        DataError: If the file is there and damaged.
    """
    record = _read(run.environment_file)
    before = [] if record is None else [record["started"], *record["continued"]]
    entry = {**entry, "code": None if code is None else _code_entry(run, code, before)}
    if record is None:
        write_json(run.environment_file, {"started": entry, "continued": []})
        return None
    record["continued"].append(entry)
    write_json(run.environment_file, record)
    different = differences(record["started"], entry)
    if not different:
        return None
    more = f"; and {len(different) - _SHOWN} more" if len(different) > _SHOWN else ""
    return (
        f"this run was started otherwise ({'; '.join(different[:_SHOWN])}{more}): its numbers can differ "
        "from those of a run without interruption."
    )


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return ``name BEFORE, now NOW`` of what differs between two entries and may change numbers."""
    old, new = _flat(before), _flat(now)
    return [
        f"{name} {_shown(old.get(name))}, now {_shown(new.get(name))}"
        for name in [*old, *(name for name in new if name not in old)]
        if name not in _OF_NO_WEIGHT and old.get(name) != new.get(name)
    ]


def without_home(word: str) -> str:
    """Return a word of a command with the user's home folder written as ``~``."""
    home = os.path.expanduser("~").rstrip("/")  # noqa: PTH111
    # Where a path may begin and the folder's name end.
    return re.sub(rf"(?<![^=:,\[('\" ]){re.escape(home)}(?![^/:,\])'\" ])", "~", word) if home else word


def _code_entry(run: RunFolder, code: CodeState, before: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what ``environment.json`` says of the code, and write the patch first, unless it is there."""
    digest = hashlib.sha256(code.patch).hexdigest() if code.patch else None
    known = {start["code"]["uncommitted"]: start["code"]["patch"] for start in before if start["code"]}
    name = known.get(digest)
    if digest is not None and name is None:
        name = f"uncommitted-{len(before) + 1}.patch" if before else "uncommitted.patch"
        with write_whole(run.path / name) as temporary:
            temporary.write_bytes(code.patch)
    return {
        "commit": code.commit,
        "branch": code.branch,
        "uncommitted": digest,
        "patch": name,
        "not_in_patch": code.left_out,
    }


def _read(file: Path) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    way_out = "delete it; only the record of how the run was started is lost."
    try:
        record = read_json(file)
    except DataError as error:
        raise DataError(f"{error} Or {way_out}") from error
    if not isinstance(record, dict) or record.keys() != {"started", "continued"}:
        raise DataError(f"{file} is not the record of a run's start: {way_out}")
    return record


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key}."))
        elif value not in (None, []):  # no GPU, no checkout, nothing left out
            flat[f"{prefix}{key}"] = value
    return flat


def _shown(value: Any) -> str:
    text = "none" if value is None else str(value)
    # Of a hash its beginning says enough.
    return text[:_HEX] if re.fullmatch(r"[0-9a-f]{40,64}", text) else text
