"""The whole command: inspect, print, write."""

import json
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidreid.commands.check_data.report import as_json, as_text, refused
from vidreid.commands.check_data.sheets import draw_sheets
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.inspection.inspect import Inspection, inspect
from vidreid.errors import DataError
from vidreid.files import write_whole
from vidreid.visualize.palette import Frame
from vidreid.visualize.save import save_png

REPORT = "report.json"


def check_data(config: DictConfig) -> bool:
    """Inspect a benchmark, print the report and write it with pictures.

    Args:
        config: As in ``conf/check_data.yaml``.

    Returns:
        Whether training and evaluation would be right.

    Raises:
        ValueError: If settings are wrong.
    """
    data: ReidDataModule = instantiate(config.data)
    out = Path(config.out)
    try:
        found = _inspect(data, config)
    except DataError as error:
        print(f"error    {error}\n\ntraining would be wrong: the data cannot be read")
        _write(out, refused(str(data.root), str(error)), {})
        return False
    print(as_text(found))
    pictures = draw_sheets(found)
    _write(out, as_json(found, sorted(pictures)), pictures)
    print(f"\nwritten to {out}: {', '.join([REPORT, *sorted(pictures)])}")
    errors = sum(finding.severity == "error" for finding in found.findings)
    number = f"{errors} error{'' if errors == 1 else 's'}"
    ready = "ready to train" if len(data.benchmark.train) else "ready to evaluate on"
    print(ready if found.ready else f"training would be wrong: {number}")
    return found.ready


def _inspect(data: ReidDataModule, config: DictConfig) -> Inspection:
    columns = (
        TextColumn("looking"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=not config.progress, transient=True) as bar:
        task = bar.add_task("looking", total=None)
        return inspect(
            data,
            config.limit,
            config.workers,
            lambda frames: bar.update(task, total=frames),
            lambda frames: bar.advance(task, frames),
        )


def _write(out: Path, report: dict[str, Any], pictures: dict[str, Frame]) -> None:
    # The report says that everything beside it is whole, so it goes first and comes back last.
    file = out / REPORT
    if file.is_file():
        file.unlink()
        for old in out.glob("*.png"):
            old.unlink()
    for name, picture in pictures.items():
        save_png(picture, out / name)
    with write_whole(file) as temporary:
        temporary.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
