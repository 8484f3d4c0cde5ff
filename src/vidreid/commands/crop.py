"""``crop``: cut the boxes of tracked people out of videos, once."""

import os
from pathlib import Path
from typing import Any, cast

import cv2
import hydra
import pandas as pd
from omegaconf import DictConfig, OmegaConf

from vidreid.commands import config_dir
from vidreid.commands.plain_errors import plain_errors
from vidreid.data.tracks.crop import Cropped, crop_videos
from vidreid.data.tracks.plan import Plan
from vidreid.data.tracks.settings import CropSettings
from vidreid.data.tracks.sources import KEYS, Source, make_sources, read_sources

_SETTINGS = tuple(CropSettings.__dataclass_fields__)


def run_crop(config: DictConfig) -> Cropped:
    """Cut and report.

    Args:
        config: As in ``conf/crop.yaml``.

    Returns:
        What was cut.
    """
    plain = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    if plain["persons"] is not None:
        plain["persons"] = str(plain["persons"])
    settings = CropSettings(**{name: plain[name] for name in _SETTINGS})
    workers = plain["workers"] or len(os.sched_getaffinity(0))
    cropped = crop_videos(str(plain["out"]), _sources(plain), settings, workers)
    print(f"{'already there' if cropped.was_there else 'cut'}: {plain['out']}")
    _report(cropped.plan)
    return cropped


def _sources(plain: dict[str, Any]) -> list[Source]:
    sources, one = plain["sources"], {key: plain[key] for key in KEYS if plain[key] is not None}
    if sources is None:
        return make_sources([one] if one else [])
    if one:
        raise ValueError(f"sources= lists the videos already: drop it, or drop {next(iter(one))}=.")
    if isinstance(sources, str):
        return read_sources(Path(sources))
    if not isinstance(sources, list) or not all(isinstance(row, dict) for row in sources):
        raise ValueError("sources= is no list of videos: write sources=[{video:FILE,tracks:FILE}] or a file.")
    return make_sources(sources)


def _report(plan: Plan) -> None:
    crops = plan.crops
    persons = crops["person"].tolist()
    people, unknown = set(persons) - {""}, persons.count("")
    who = f"{_some(len(people), 'person', 'people')}" if people else "unknown people"
    if people and unknown:
        who += f", {_some(unknown, 'crop')} of unknown people"
    total = f"{_some(len(crops), 'crop')}, {_some(_different(crops, 'tracklet'), 'tracklet')}"
    print(f"  {total}, {_some(_different(crops, 'camera'), 'camera')}, {who}")
    for place, source in enumerate(plan.sources):
        own = crops.loc[crops["source"] == place]
        left_out = "".join(f", {count} {reason}" for reason, count in source.left_out.items())
        print(
            f"  {source.source.name} (camera {source.camera}): {_some(source.rows, 'box', 'boxes')}, "
            f"{_some(len(own), 'crop')}, {_some(_different(own, 'tracklet'), 'tracklet')}"
            f"{f'; left out{left_out[1:]}' if left_out else ''}"
        )
    for notice in plan.notices:
        print(f"note: {notice}")


def _different(crops: pd.DataFrame, name: str) -> int:
    return len(set(crops[name].tolist()))


def _some(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="crop")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    run_crop(config)


def main() -> None:
    """Run the command."""
    # The decoders' own complaints would bury the one sentence; processes that are started here inherit both.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if "OPENCV_LOG_LEVEL" not in os.environ:
        os.environ["OPENCV_LOG_LEVEL"] = "SILENT"
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    _hydra_main()
