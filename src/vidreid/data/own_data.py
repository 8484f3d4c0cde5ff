"""One's own data: a manifest, or a folder tree."""

from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from vidreid.data.benchmark import Benchmark
from vidreid.data.boxed_frames import BoxedFrames
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.keypoint_sources import MANIFEST, POSE_FILES, KeypointSource
from vidreid.data.own.folder_tree import read_folder_tree
from vidreid.data.own.manifest import read_manifest
from vidreid.data.own.manifest_reader import OWN_PROTOCOLS, own_benchmark
from vidreid.data.own.own_frames import Cameras, OwnFrames, check_cameras
from vidreid.data.protocols import Protocol

__all__ = ["FolderTreeDataModule", "ManifestDataModule"]

FRAMES = "frames"
"""Name of the one frame list, and so of its keypoint store."""


class OwnDataModule(ReidDataModule):
    """Loaders of one's own data; a small subclass reads them."""

    protocols: ClassVar[dict[str, Protocol]] = OWN_PROTOCOLS
    train_split: ClassVar[str] = FRAMES
    test_split: ClassVar[str] = FRAMES

    def __init__(
        self, root: str | Path, cameras: Cameras = "given", test_share: float = 0.5, **settings: Any
    ) -> None:
        """Take the settings; nothing is read before it is needed.

        Args:
            root: The folder of the data.
            cameras: ``given``, or ``each_tracklet`` where nobody knows them: only the query itself is left
                out of its answers.
            test_share: Share of the people to search for, where no roles are given.
            settings: The other arguments of ``ReidDataModule``; ``split_seed`` also splits the people and
                chooses who asks.
        """
        super().__init__(root, **settings)
        check_cameras(cameras)
        self.cameras: Cameras = cameras
        self.test_share = test_share

    @property
    @override
    def camera_numbers(self) -> list[int]:
        """Numbers of the cameras that a network can get to know: none but 0 where nobody knows them.

        Nothing was seen by that one, so that all clips look the same to a network that learns its cameras.
        """
        return [0] if self.cameras == "each_tracklet" else super().camera_numbers

    def _benchmark_of(self, own: OwnFrames, name: str) -> Benchmark:
        return own_benchmark(
            own, self.root, name, self.cameras, self.test_share, self.split_seed, strict=self.strict
        )

    @override
    def keypoint_source(self, split: str) -> KeypointSource:
        """Open the keypoints: also those that the manifest itself holds.

        Raises:
            ValueError: For ``pose_files`` where frames are boxes of larger images.
        """
        if self.keypoints == POSE_FILES and isinstance(self.benchmark.train_frames, BoxedFrames):
            raise ValueError(
                "data.keypoints=pose_files has one file an image, but here several boxes may lie in one: use "
                "data.keypoints=manifest or a store."
            )
        if self.keypoints == MANIFEST and self.benchmark.keypoints is not None:
            return self.benchmark.keypoints
        return super().keypoint_source(split)


class ManifestDataModule(OwnDataModule):
    """Loaders of the frames that a manifest lists."""

    def __init__(self, root: str | Path, manifest: str | Path = "manifest.csv", **settings: Any) -> None:
        """Take the settings; nothing is read before it is needed.

        Args:
            root: The folder of the data.
            manifest: CSV or Parquet file below it; paths of frames are relative to the file's folder.
            settings: The arguments of ``OwnDataModule``; ``keypoints`` may also be ``manifest``.
        """
        super().__init__(root, **settings)
        self.manifest = manifest

    @override
    def read(self) -> Benchmark:
        """Read the manifest; what is probably not meant is an error under ``strict``."""
        own = read_manifest(
            self.root / self.manifest, self.cameras, with_keypoints=self.keypoints == MANIFEST
        )
        return self._benchmark_of(own, "manifest")


class FolderTreeDataModule(OwnDataModule):
    """Loaders of a tree ``person/camera/tracklet/frames``; the arguments are those of ``OwnDataModule``."""

    @override
    def read(self) -> Benchmark:
        """Read the names in the tree; what is probably not meant is an error under ``strict``."""
        return self._benchmark_of(read_folder_tree(self.root, self.cameras), "folders")
