"""What is fuzzed beside benchmarks: own data, files of pose tools, boxes of trackers."""

import json
from pathlib import Path

import numpy as np

from support.fuzzed import Fuzzed, touched
from support.own_data import make_folder_tree, rows_of_noise, with_keypoints
from support.pose_format_writers import SIZE, WRITERS, Images
from support.tracked_videos import rows_of, write_mot
from vidreid.data.own_data import FolderTreeDataModule, ManifestDataModule
from vidreid.data.tracks.mot_files import read_tracks
from vidreid.data.tracks.row_filter import RowFilter
from vidreid.keypoints.formats import open_pose_files
from vidreid.keypoints.formats.coco_writer import CocoImage, write_coco
from vidreid.keypoints.formats.openpifpaf_writer import write_openpifpaf
from vidreid.keypoints.poses import Pose

NAMES = ("0001/0001C1T0001F001.jpg", "0001/0001C1T0001F002.jpg", "0002/0002C1T0001F001.jpg")


def _images(fewest: int) -> Images:
    """Three images with one, two and, where a format can say so, no people."""
    rng = np.random.default_rng(0)

    def pose() -> Pose:
        keypoints = rng.uniform(1, 100, (17, 3)).round(2)
        keypoints[:, 2] = rng.integers(1, 17, 17) / 16
        return Pose(keypoints, box=(1.0, 2.0, 90.0, 95.0), score=0.75, track=3)

    return dict(zip(NAMES, ([pose()], [pose(), pose()], [pose()] * fewest), strict=True))


class _PoseFiles:
    """The files of a pose tool for three images."""

    def __init__(self, form: str) -> None:
        self.form = form
        self.opened = Path()

    def make(self, root: Path) -> Path:
        """Write them and note which file or folder is to be opened."""
        folder = root / "poses"
        images = _images(fewest=int(self.form in ("pose", "csv")))
        folder.mkdir(parents=True)
        if self.form == "coco":
            self.opened = folder / "coco.json"
            write_coco(self.opened, [CocoImage(name, *SIZE) for name in images], images.values())
        elif self.form == "openpifpaf":
            self.opened = folder
            write_openpifpaf(folder, list(images), images.values())
        else:
            self.opened = WRITERS[self.form](folder, images)
        return root

    def read(self, _: Path) -> None:
        """Read everybody, who must be as the house wants keypoints."""
        source = open_pose_files(self.opened, self.form, skeleton="coco17" if self.form == "kpr" else None)
        for name in NAMES:
            for pose in source.poses(name, SIZE):
                confidence = pose.keypoints[:, 2]
                assert np.isfinite(pose.keypoints).all()
                assert confidence.min() >= 0
                assert confidence.max() <= 1
                assert not pose.keypoints[confidence == 0].any()


def _fuzzed(form: str) -> Fuzzed:
    files = _PoseFiles(form)
    return Fuzzed(files.make, files.read, ("poses/**/*.*",), ("*", "poses/*", "poses/**/*"))


def _make_manifest(root: Path, parquet: bool) -> Path:
    """With everything that may stand in one."""
    root.mkdir()
    rows, _ = with_keypoints(rows_of_noise(root))
    rows["role"] = ["train" if person < "d" else "test" for person in rows["person"]]
    rows["frame_number"] = np.arange(len(rows))
    rows = rows.assign(x=0, y=1, width=8.5, height=16)
    if parquet:
        rows["keypoints"] = [json.loads(joints) for joints in rows["keypoints"]]
        rows.to_parquet(root / "manifest.parquet")
    else:
        rows.to_csv(root / "manifest.csv", index=False)
    return root


def _read_manifest(root: Path, name: str) -> None:
    data = ManifestDataModule(root, manifest=name, keypoints="manifest")
    touched(data.benchmark)
    assert data.benchmark.keypoints is not None
    joints = data.benchmark.keypoints[:]
    assert np.isfinite(joints).all()


def _make_folder_tree(root: Path) -> Path:
    root.mkdir()
    return make_folder_tree(root)


def _write_tracks(root: Path) -> Path:
    root.mkdir()
    write_mot(root / "tracks.txt", rows_of(12))
    return root


FUZZED_FILES: dict[str, Fuzzed] = {
    **{form: _fuzzed(form) for form in ("openpifpaf", "coco", *WRITERS)},
    "manifest": Fuzzed(
        lambda root: _make_manifest(root, parquet=False),
        lambda root: _read_manifest(root, "manifest.csv"),
        ("*.csv",),
        ("*.csv", "crops"),
    ),
    "parquet": Fuzzed(
        lambda root: _make_manifest(root, parquet=True),
        lambda root: _read_manifest(root, "manifest.parquet"),
        ("*.parquet",),
        ("*.parquet", "crops"),
    ),
    "folders": Fuzzed(
        _make_folder_tree,
        lambda root: touched(FolderTreeDataModule(root).benchmark),
        ("anna/door/t1/*",),
        ("*", "anna/*", "*/*/t1", "anna/*/*/*"),
    ),
    "mot": Fuzzed(
        _write_tracks, lambda root: read_tracks(root / "tracks.txt", RowFilter()), ("*.txt",), ("*",)
    ),
}
"""By the name of the format."""
