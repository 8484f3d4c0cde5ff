"""From videos and boxes to a folder of crops with a manifest."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidreid.data.tracks.crop_folder import CropFolder
from vidreid.data.tracks.cutting import Part, split_into_parts
from vidreid.data.tracks.lanes import make_lanes, run_lanes
from vidreid.data.tracks.plan import Plan, plan_crops
from vidreid.data.tracks.settings import FORMATS, CropSettings
from vidreid.data.tracks.sources import Source
from vidreid.errors import DataError

VERSION = 1
"""Of the cutting: raised whenever the same input gives other bytes."""


@dataclass(frozen=True)
class Cropped:
    """What was asked for and what became of it.

    Attributes:
        plan: The crops.
        was_there: Whether there was nothing left to do.
    """

    plan: Plan
    was_there: bool


def crop_videos(
    out: str | Path,
    sources: Sequence[Source],
    settings: CropSettings | None = None,
    workers: int = 1,
    progress: bool = True,
    part_size: int = 500,
) -> Cropped:
    """Cut the boxes out of videos, or go on where that was interrupted.

    The folder holds ``manifest.csv`` with one row a crop (``tracklet``, ``frame_path``, ``person``,
    ``camera``, ``frame_number`` and, if told, ``role``), the crops as
    ``crops/<camera>/<tracklet>/<frame>.jpg``, and the settings in ``crop.json``.
    The bytes are the same with any number of workers and of interruptions.

    Args:
        out: The folder.
        sources: The videos and their boxes.
        settings: How crops are cut.
        workers: Processes.
        progress: Show a bar.
        part_size: Crops that an interruption may cost, in each process.

    Raises:
        MissingDataError: If a file is not there.
        DataError: If a file is damaged, video and boxes do not fit, or no crop is left.
        FileExistsError: If the folder holds something else or crops with other settings.
    """
    settings = settings or CropSettings()
    if workers < 1:
        raise ValueError(f"workers={workers}: choose at least 1.")
    # Before the folder, so that nothing is written for input that cannot be used.
    plan = plan_crops(sources, settings)
    folder = CropFolder(Path(out))
    with folder.opened({"version": VERSION, "part_size": part_size, **_identity(sources, settings)}):
        if folder.is_whole():
            return Cropped(plan, True)
        parts = [
            split_into_parts(plan.crops, place, folder.parts, part_size) for place in range(len(sources))
        ]
        ending = FORMATS[settings.format]
        _cut(plan, parts, ending, workers, progress)
        found_in = {
            row: part.file(row, ending) for own in parts for part in own for row in part.rows.tolist()
        }
        folder.gather(plan.crops, found_in)
    return Cropped(plan, False)


def _cut(plan: Plan, parts: Sequence[Sequence[Part]], ending: str, workers: int, progress: bool) -> None:
    missing = [[part for part in own if not part.folder.exists()] for own in parts]
    lanes = make_lanes(list(zip(plan.pictures, missing, strict=True)), workers)
    left = sum(len(part.rows) for own in missing for part in own)
    columns = (
        TextColumn("cutting"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("crops"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task("cutting", total=len(plan.crops), completed=len(plan.crops) - left)
        run_lanes(lanes, ending, workers, lambda count: bar.advance(task, count))


def _identity(sources: Sequence[Source], settings: CropSettings) -> dict[str, Any]:
    """Return what decides on the bytes: not where files lie, but what they hold."""
    options = asdict(settings)
    options["classes"] = None if settings.classes is None else list(settings.classes)
    persons = settings.persons
    if persons is not None and Path(persons).is_file():
        options["persons"] = {"file": Path(persons).name, "sha256": _digest(Path(persons))}
    return {
        "settings": options,
        "sources": [
            {
                "name": source.name,
                "video": source.video.name,
                "video_bytes": _size(source.video),
                "tracks": source.tracks.name,
                "tracks_sha256": _digest(source.tracks),
                "camera": source.camera,
            }
            for source in sources
        ],
    }


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error


def _size(video: Path) -> int:
    """Return the bytes of a video; reading all would take as long as cutting it."""
    files = sorted(video.iterdir()) if video.is_dir() else [video]
    return sum(file.stat().st_size for file in files if file.is_file())
