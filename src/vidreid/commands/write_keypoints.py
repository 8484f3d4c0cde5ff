"""``write_keypoints``: the keypoints of a benchmark in the files of other tools."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import hydra
import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig
from PIL import Image, UnidentifiedImageError

from vidreid.commands import config_dir
from vidreid.commands.plain_errors import plain_errors
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.frames import FrameError, are_boxes
from vidreid.data.keypoint_sources import KeypointSource
from vidreid.data.tracklets import FrameList
from vidreid.keypoints.formats.coco_writer import CocoImage, write_coco
from vidreid.keypoints.formats.openpifpaf_writer import write_openpifpaf
from vidreid.keypoints.layouts import select_joints
from vidreid.keypoints.poses import Pose

FORMATS = ("coco", "openpifpaf")
SPLITS = ("train", "test")
_BLOCK = 1024


def write_keypoints(config: DictConfig) -> list[Path]:
    """Write the keypoints of a benchmark's frames.

    Args:
        config: The composed configuration of ``conf/write_keypoints.yaml``.

    Returns:
        A file (``coco``) or folder (``openpifpaf``) for each split.

    Raises:
        ValueError: If a setting is none of the choices, or no keypoints are named.
        DataError: If the benchmark or its keypoints are missing or damaged.
        FileExistsError: If a folder for OpenPifPaf's files is there already.
    """
    if config.format not in FORMATS:
        raise ValueError(f"Unknown format={config.format!r}: choose one of {', '.join(FORMATS)}.")
    if config.split not in (None, *SPLITS):
        raise ValueError(f"Unknown split={config.split!r}: choose one of {', '.join(SPLITS)}, or null.")
    data: ReidDataModule = instantiate(config.data)
    if data.keypoints is None:
        raise ValueError(
            "No keypoints are named: set data.keypoints to detector, true, pose_files or a folder."
        )
    frames = {"train": data.benchmark.train_frames, "test": data.benchmark.test_frames}
    folders = {"train": data.train_split, "test": data.test_split}
    written: dict[Path, int] = {}
    for split in SPLITS if config.split is None else (config.split,):
        target = Path(config.out) / (folders[split] + (".json" if config.format == "coco" else ""))
        # Where training and test share their frames, once.
        if target not in written:
            if are_boxes(frames[split]):
                raise ValueError(
                    "Both formats list people by their image, and here several frames are boxes of one: "
                    "cut the boxes into files of their own first."
                )
            _write(target, config.format, frames[split], data.keypoint_source(folders[split]))
            written[target] = len(frames[split])
    for target, count in written.items():
        print(f"{target}: keypoints of {count} images, {config.format}")
    return list(written)


def _write(target: Path, form: str, frames: FrameList, source: KeypointSource) -> None:
    names = [frames.relative(row) for row in range(len(frames))]
    if form == "openpifpaf":
        write_openpifpaf(target, names, _people(source, "coco17"))
        return
    images = [CocoImage(name, *_size(frames, row)) for row, name in enumerate(names)]
    write_coco(target, images, _people(source, source.layout), source.layout)


def _people(source: KeypointSource, joints: str) -> Iterator[list[Pose]]:
    """Yield who is in each frame: one person, or nobody where no joint is there."""
    for start in range(0, len(source), _BLOCK):
        stored = source[slice(start, min(start + _BLOCK, len(source)))]
        if joints != source.layout:
            stored = select_joints(stored, joints, source.layout)
        for keypoints in stored.astype(np.float64):
            yield [Pose(keypoints)] if (keypoints[:, 2] > 0).any() else []


def _size(frames: FrameList, row: int) -> tuple[int, int]:
    """Return height and width of a frame, which its first bytes tell."""
    try:
        with Image.open(BytesIO(frames.encoded(row))) as image:
            return image.height, image.width
    except UnidentifiedImageError as error:
        raise FrameError(
            f"Frame {frames.file(row)} is not a readable image: copy it again from a whole archive."
        ) from error


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="write_keypoints")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    write_keypoints(config)


def main() -> None:
    """Run the command."""
    _hydra_main()
