"""Where the keypoints of a frame list come from: a store, or ``.pose`` files beside the images."""

from pathlib import Path

from vidreid.data.tracklets import FrameList
from vidreid.errors import MissingDataError
from vidreid.keypoints.in_memory import KeypointArray
from vidreid.keypoints.layouts import Layout
from vidreid.keypoints.pose_files import PoseFiles
from vidreid.keypoints.store import KeypointStore

POSE_FILES = "pose_files"
"""The setting that means ``.pose`` files."""
MANIFEST = "manifest"
"""The setting that means the column of a manifest, whose reader takes them along."""

KeypointSource = KeypointStore | PoseFiles | KeypointArray


class PosePaths:
    """Paths of the ``.pose`` files of a frame list: the images' paths in another folder."""

    def __init__(self, frames: FrameList, folder: Path) -> None:
        self.frames = frames
        self._folder = str(folder)

    def __len__(self) -> int:
        return len(self.frames)

    def file(self, row: int) -> str:
        """Return the path of a frame's file."""
        return f"{self._folder}/{self.frames.relative(row).rpartition('.')[0]}.pose"


def open_keypoints(
    keypoints: str | Path | bool, root: Path, split: str, frames: FrameList, pose_layout: Layout = "coco17"
) -> KeypointSource:
    """Open the keypoints of a split.

    Args:
        keypoints: ``detector`` or ``true`` (stores in ``<root>/keypoints``), ``pose_files`` (the release's
            ``<root>/<split>_keypoints/0001/<image>.pose``), or the folder of a store.
        root: Where the benchmark lies.
        split: Folder name of the split's images, such as ``bbox_train``.
        frames: The frames that the keypoints belong to.
        pose_layout: What the joints of ``.pose`` files are; a store says it itself.

    Raises:
        MissingDataError: If there are none.
        ValueError: If a store belongs to other frames, or ``keypoints`` names none.
    """
    if keypoints is True:
        keypoints = "true"  # the word is a truth value in YAML and on the command line
    if isinstance(keypoints, bool):
        raise ValueError(
            "data.keypoints=false is no source of keypoints: use data.keypoints=null for none, or name one "
            "of detector, true, pose_files, or a folder."
        )
    if keypoints == MANIFEST:
        raise ValueError(
            "data.keypoints=manifest means the keypoints of a manifest (data=manifest), which these data "
            "have not: choose detector, true, pose_files or a folder."
        )
    if keypoints == POSE_FILES:
        return PoseFiles(PosePaths(frames, _pose_folder(root, split)), pose_layout)
    folder = root / "keypoints" / keypoints if keypoints in ("detector", "true") else Path(keypoints)
    return KeypointStore.open(folder, split, len(frames), frames.names_crc())


def _pose_folder(root: Path, split: str) -> Path:
    """Return the folder of a split's ``.pose`` files, or the one of the same name in it from unzipping."""
    folder = root / f"{split}_keypoints"
    if not folder.is_dir():
        raise MissingDataError(
            f"There is no folder {folder} with .pose files: unpack the keypoints there, set "
            "data.keypoints to another source, or choose a method that needs none."
        )
    doubled = folder / folder.name
    return doubled if doubled.is_dir() else folder
