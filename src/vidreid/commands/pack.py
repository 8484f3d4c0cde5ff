"""``pack``: copy the frames of a benchmark into one file a split."""

import hydra
from hydra.utils import instantiate
from omegaconf import DictConfig

from vidreid.commands import config_dir
from vidreid.commands.plain_errors import plain_errors
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.packed_frames import PackedFrames
from vidreid.data.packing import pack_frames


def pack(config: DictConfig) -> list[PackedFrames]:
    """Pack what is not packed yet, and print where it lies.

    Args:
        config: As in ``conf/pack.yaml``.

    Returns:
        The packed frame lists, one a split.
    """
    data: ReidDataModule = instantiate(config.data, pack=False)
    for notice in data.notices:
        print(f"note: {notice}")
    packs = []
    for split in dict.fromkeys((data.train_split, data.test_split)):
        packed = pack_frames(
            data.frames(split), data.pack_folder, split, config.workers, on_bad_frame=data.on_bad_frame
        )
        size = packed.files.data.stat().st_size / 1e6
        absent = f", {packed.absent:,} of them absent" if packed.absent else ""
        print(f"{packed.files.data}: {len(packed):,} frames{absent}, {size:,.1f} MB")
        packs.append(packed)
    print("read them with data.pack=true")
    return packs


@hydra.main(version_base="1.3", config_path=config_dir(), config_name="pack")
@plain_errors
def _hydra_main(config: DictConfig) -> None:
    pack(config)


def main() -> None:
    """Run the command."""
    _hydra_main()
