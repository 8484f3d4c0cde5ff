"""G2A-VReID, in the format of MARS."""

import shutil

import numpy as np
import pytest
from hydra.utils import instantiate
from scipy.io import savemat

from support.g2a_vreid_tree import QUERY, TEST, TRAIN, make_g2a_vreid_tree
from support.runs import compose_training
from vidreid.data.g2a_vreid import G2aVReidDataModule, read_g2a_vreid
from vidreid.data.mars_format import write_info


@pytest.fixture
def root(tmp_path):
    return make_g2a_vreid_tree(tmp_path / "g2a-vreid")


def test_tables_say_what_was_written(g2a_vreid_root):
    benchmark = read_g2a_vreid(g2a_vreid_root)
    for table, split in ((benchmark.train, TRAIN), (benchmark.test, TEST)):
        assert list(zip(table["pid"], table["camera"], table["stop"] - table["start"], strict=True)) == split
    assert np.flatnonzero(benchmark.test["is_query"]).tolist() == [row - 1 for row in QUERY]
    assert all(path.is_file() for path in benchmark.train_frames.paths(0, len(benchmark.train_frames)))
    assert all(path.is_file() for path in benchmark.test_frames.paths(0, len(benchmark.test_frames)))
    assert benchmark.name == "g2a_vreid"
    assert [len(benchmark.gallery(name)) for name in benchmark.protocols] == [6, 6, 3, 3]
    assert "MARS:" not in " ".join(protocol.summary for protocol in benchmark.protocols.values())


def test_counts_are_compared_in_total(root):
    (notice,) = read_g2a_vreid(root).notices
    frames = sum(count for *_, count in TRAIN + TEST)
    assert notice == (
        "counts differ from G2A-VReID: tracklets in all 14 instead of 5,576; identities in all 7 instead of "
        f"2,788; frames in all {frames} instead of 185,907."
    )
    with pytest.raises(ValueError, match=r"Counts differ from G2A-VReID.*data\.strict=true"):
        read_g2a_vreid(root, strict=True)


def test_the_whole_set_has_the_published_counts(tmp_path):
    """Everybody twice, 185,907 frames: only the totals are known, so these halves are made up."""
    lengths = np.full(5576, 185_907 // 5576)
    lengths[: 185_907 - lengths.sum()] += 1
    splits = []
    for people, own in ((range(1, 1395), lengths[:2788]), (range(1395, 2789), lengths[2788:])):
        stops = np.cumsum(own)
        pids, cameras = np.repeat(list(people), 2), np.tile([1, 2], len(people))
        rows = np.column_stack([stops - own + 1, stops, pids, cameras])
        names = [
            f"{pid:04d}C{camera}T{camera:04d}F{frame:03d}.jpg"
            for pid, camera, count in zip(pids, cameras, own, strict=True)
            for frame in range(1, count + 1)
        ]
        splits.append((names, rows))
    (train_names, train), (test_names, test) = splits
    write_info(tmp_path, train_names, test_names, train, test, np.arange(1, len(test), 2))
    benchmark = read_g2a_vreid(tmp_path, strict=True)
    assert (len(benchmark.query("queries_removed")), len(benchmark.gallery("queries_removed"))) == (
        1394,
        1394,
    )


@pytest.mark.parametrize("folder", ["bbox_train", "bbox_test", "info"])
def test_folders_doubled_by_unzipping_are_accepted(root, folder):
    plain = read_g2a_vreid(root)
    (root / folder).rename(root / "inner")
    (root / folder).mkdir()
    (root / "inner").rename(root / folder / folder)
    assert read_g2a_vreid(root).test.equals(plain.test)


def _without_info(root):
    shutil.rmtree(root / "info")


def _without_query(root):
    (root / "info/query_IDX.mat").unlink()


def _foreign_query(root):
    savemat(root / "info/query_IDX.mat", {"query": np.array([[1]])})


def _other_names(root):
    file = root / "info/test_name.txt"
    file.write_text(file.read_text().replace("0005C", "0006C"))


def _third_column_missing(root):
    savemat(root / "info/tracks_train_info.mat", {"track_train_info": np.array([[1, 2, 3]])})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without_info, "holds no folder info: copy it there from the archive of G2A-VReID"),
        (_without_query, r"lacks query_IDX\.mat: take these files from the archive of G2A-VReID"),
        (_foreign_query, "holds query but not the variable query_IDX: this is not G2A-VReID metadata"),
        (_other_names, r"is 0006C1T0001F001\.jpg, but its tracklet 3 is of identity 5"),
        (_third_column_missing, r"shape \(1, 3\), expected \(tracklets, 4\)"),
    ],
)
def test_spoiled_trees_are_refused(root, spoil, words):
    spoil(root)
    with pytest.raises(ValueError, match=words):
        read_g2a_vreid(root)


def test_the_folder_above_the_root_is_noticed(root):
    with pytest.raises(FileNotFoundError, match=r"did you mean .*/g2a-vreid\?"):
        read_g2a_vreid(root.parent)


def test_the_configuration_builds_it(g2a_vreid_root, tmp_path):
    module = instantiate(compose_training(g2a_vreid_root, tmp_path, "data=g2a_vreid", "data.workers=0").data)
    assert isinstance(module, G2aVReidDataModule)
    assert (module.num_identities, module.camera_numbers) == (4, [1, 2])
    with pytest.raises(ValueError, match="'legacy_unfiltered': choose one of official, junk_as_wrong"):
        G2aVReidDataModule(g2a_vreid_root, protocol="legacy_unfiltered")
