"""What is fuzzed: a tiny tree of each benchmark, the files that its reader reads, and how they are read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.camera_pair_trees import make_ilids_tree, make_prid_tree
from support.duke_video_reid_tree import make_duke_video_reid_tree
from support.g2a_vreid_tree import make_g2a_vreid_tree
from support.ls_vid_tree import make_ls_vid_tree
from support.mars_tree import make_mars_tree
from support.outfit_trees import make_ccvid_tree, make_mevid_tree
from support.posetrackreid_tree import make_posetrackreid_tree
from support.x_mars_tree import make_x_mars_tree
from vidreid.data.benchmark import Benchmark
from vidreid.data.ccvid import read_ccvid
from vidreid.data.duke_video_reid import read_duke_video_reid
from vidreid.data.g2a_vreid import read_g2a_vreid
from vidreid.data.ilids_vid import read_ilids_vid
from vidreid.data.keypoint_sources import open_keypoints
from vidreid.data.ls_vid import read_ls_vid
from vidreid.data.mars import read_mars
from vidreid.data.mevid import read_mevid
from vidreid.data.posetrackreid import read_posetrackreid
from vidreid.data.prid2011 import read_prid2011
from vidreid.data.x_mars import read_x_mars


@dataclass(frozen=True)
class Fuzzed:
    """A kind of data whose reader is given spoiled files.

    Attributes:
        make: Writes a whole tree into a new folder and returns its root.
        read: Reads everything that is not pixels.
        files: Globs below the root: files whose content is spoiled.
        places: Globs below the root: files and folders that are renamed, removed or swapped.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    files: tuple[str, ...]
    places: tuple[str, ...]


def touched(benchmark: Benchmark) -> Benchmark:
    """Use what a reader gave as training would: names, checksums, roles."""
    for frames, table in (
        (benchmark.train_frames, benchmark.train),
        (benchmark.test_frames, benchmark.test),
    ):
        frames.names_crc()
        for start, stop in zip(table["start"], table["stop"], strict=True):
            assert all(isinstance(path, Path) for path in frames.paths(start, stop))
    for protocol in benchmark.protocols.values():
        protocol.roles(benchmark.test)
    return benchmark


def _mars_with_keypoints(root: Path) -> None:
    benchmark = touched(read_mars(root))
    for split, frames in (("bbox_train", benchmark.train_frames), ("bbox_test", benchmark.test_frames)):
        _ = open_keypoints("detector", root, split, frames)[:]


def _posetrackreid_with_keypoints(root: Path) -> None:
    benchmark = touched(read_posetrackreid(root))
    _ = open_keypoints("pose_files", root, "val", benchmark.test_frames, "posetrack17")[:]


FUZZED: dict[str, Fuzzed] = {
    "mars": Fuzzed(
        make_mars_tree,
        _mars_with_keypoints,
        ("info/*", "keypoints/detector/*"),
        ("*", "info/*", "bbox_train/*", "keypoints/detector/*"),
    ),
    "posetrackreid": Fuzzed(
        make_posetrackreid_tree,
        _posetrackreid_with_keypoints,
        ("*.json", "val_keypoints/*/*"),
        ("*", "train/*", "val_keypoints/*", "val_keypoints/*/*"),
    ),
    "ilids_vid": Fuzzed(
        lambda root: make_ilids_tree(root, splits="both"),
        lambda root: touched(read_ilids_vid(root)),
        ("*/*.mat", "splits.json"),
        ("*", "*/*", "*/sequences/cam1/*", "*/sequences/cam1/*/*"),
    ),
    "prid2011": Fuzzed(
        make_prid_tree,
        lambda root: touched(read_prid2011(root)),
        ("*.json",),
        ("*", "*/*/*", "*/*/cam_a/*", "*/*/cam_a/*/*"),
    ),
    "ccvid": Fuzzed(
        make_ccvid_tree,
        lambda root: touched(read_ccvid(root)),
        ("*/*.txt",),
        ("*", "*/*", "*/session1/*", "*/session1/*/*"),
    ),
    "mevid": Fuzzed(
        make_mevid_tree,
        lambda root: touched(read_mevid(root)),
        ("**/*.txt",),
        ("*", "bbox_train/*", "**/*.txt"),
    ),
    "x_mars": Fuzzed(
        make_x_mars_tree,
        lambda root: touched(read_x_mars(root)),
        ("info/*",),
        ("*", "info/*", "bbox_train/*", "bbox_test/*/*"),
    ),
    "g2a_vreid": Fuzzed(
        make_g2a_vreid_tree,
        lambda root: touched(read_g2a_vreid(root)),
        ("info/*",),
        ("*", "info/*", "bbox_train/*"),
    ),
    "duke_video_reid": Fuzzed(
        make_duke_video_reid_tree,
        lambda root: touched(read_duke_video_reid(root)),
        ("*/query/*/*/*",),
        ("*", "*/*", "*/query/*", "*/query/*/*", "*/query/*/*/*"),
    ),
    "ls_vid_hdf5": Fuzzed(
        make_ls_vid_tree,
        lambda root: touched(read_ls_vid(root)),
        ("*/test/data/*",),  # HDF5, which only bytes can spoil
        ("*", "*/test/data/*"),
    ),
    "ls_vid": Fuzzed(
        lambda root: make_ls_vid_tree(root, query_form="old"),
        lambda root: touched(read_ls_vid(root)),
        ("*/list_sequence/list_seq_t*", "*/test/data/*"),
        ("*", "*/*", "*/*/*", "*/*/*/*"),
    ),
}
"""By the name of the benchmark or format."""
