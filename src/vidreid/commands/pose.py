"""``pose``: fill the keypoint store of a benchmark, or of a folder of images."""

from pathlib import Path

import hydra
from hydra.utils import instantiate
from omegaconf import DictConfig

from vidreid.commands import config_dir
from vidreid.commands.plain_errors import plain_errors
from vidreid.commands.pose_frames import FOLDER_LIST, benchmark_frames, store_folder
from vidreid.commands.pose_source import describe_source
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.frame_poses import PoseFinder
from vidreid.data.image_folder import list_images
from vidreid.data.pose_filling import StoreFiller
from vidreid.data.tracklets import FrameList
from vidreid.files import write_whole
from vidreid.keypoints.coverage import Coverage
from vidreid.visualize.pose_sheet import pose_sheet
from vidreid.visualize.save import save_png


def run_pose(config: DictConfig) -> Path:
    """Fill stores, say how much they cover, and draw a sheet of each to look at.

    Args:
        config: The composed configuration of ``conf/pose.yaml``.

    Returns:
        The folder of the stores.

    Raises:
        ValueError: If settings contradict each other.
        DataError: If frames, model or files cannot be used, or a store was made otherwise.
    """
    folder, lists = _open(config)
    filler = StoreFiller(
        PoseFinder(instantiate(config.estimator), config.choose, config.workers, config.data.on_bad_frame),
        describe_source(config.estimator, config.choose),
        config.batch_size,
        config.chunk,
        config.progress,
    )
    for split, frames in lists.items():
        filled = filler.fill(folder, split, frames, restart=config.restart)
        if filled.done_before:
            print(f"finished before: {filled.store.path}")
        if len(filled.unreadable):
            print(
                f"note: {len(filled.unreadable):,} frames could not be read and have no keypoints, first "
                f"{frames.file(int(filled.unreadable[0]))}"
            )
        coverage = Coverage.of(filled.store)
        print(f"{filled.store.path}: {coverage.sentence()}")
        if config.sheet:
            sheet = pose_sheet(frames, filled.store, coverage.joints)
            if sheet is not None:
                print(f"look at {save_png(sheet, folder / 'pictures' / f'{split}.png')}")
    return folder


def _open(config: DictConfig) -> tuple[Path, dict[str, FrameList]]:
    """Return the folder of the stores and the frame lists by the names of their stores."""
    if config.folder is not None:
        root = Path(config.folder)
        frames, folder = list_images(root), store_folder(root, config.name)
        with write_whole(folder / "names.txt") as temporary:
            temporary.write_bytes(b"".join(name + b"\n" for name in frames.names.tolist()))
        return folder, {FOLDER_LIST: frames}
    data: ReidDataModule = instantiate(config.data)
    lists = benchmark_frames(data, config.split)
    for notice in data.notices:
        print(f"note: {notice}")
    return store_folder(data.root, config.name), lists


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="pose")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    run_pose(config)


def main() -> None:
    """Run the command."""
    _hydra_main()
