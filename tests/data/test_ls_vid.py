"""LS-VID as its loaders expect it on disk, in several places and spellings."""

import shutil

import numpy as np
import pytest
import torch
from hydra.utils import instantiate

from support.ls_vid_tree import QUERY, TEST, TRAIN, make_ls_vid_tree, paths_of, write_query
from support.runs import compose_training
from vidreid.data.ls_vid import LsVidDataModule, read_ls_vid
from vidreid.data.readers.ls_vid_reader import LS_VID
from vidreid.data.readers.separate_lists import Tracklet

BASE = "LS-VID"


@pytest.fixture
def root(tmp_path):
    return make_ls_vid_tree(tmp_path / "ls-vid")


def _change(root, name, change):
    file = root / BASE / "list_sequence" / f"list_seq_{name}.txt"
    lines = file.read_text().splitlines()
    change(lines)
    file.write_text("\n".join(lines))


def _check_tables(benchmark, base):
    for table, frames, written, split in (
        (benchmark.train, benchmark.train_frames, TRAIN, "tracklet_train"),
        (benchmark.test, benchmark.test_frames, TEST, "tracklet_test"),
    ):
        assert table["tracklet"].tolist() == list(range(len(written)))
        assert table["pid"].tolist() == [pid for pid, *_ in written]
        assert table["camera"].tolist() == [camera for _, _, camera, _ in written]
        read = [frames.paths(start, stop) for start, stop in zip(table["start"], table["stop"], strict=True)]
        assert read == [[base / split / path for path in paths_of(tracklet)] for tracklet in written]
        assert all(path.is_file() for paths in read for path in paths)
    assert np.flatnonzero(benchmark.test["is_query"]).tolist() == sorted(row - 1 for row in QUERY)


def test_tables_say_what_was_written(ls_vid_root):
    benchmark = read_ls_vid(ls_vid_root)
    _check_tables(benchmark, ls_vid_root / BASE)
    assert benchmark.name == "ls_vid"
    assert (len(benchmark.query()), len(benchmark.gallery())) == (len(QUERY), len(TEST) - len(QUERY))


@pytest.mark.parametrize(
    "variant",
    [
        {"above": ""},
        {"above": "LS-VID/LS-VID"},
        {"lists": "info"},
        {"lists": "info/list_sequence", "query_folder": "info/data"},
        {"query_form": "old"},
        {"list_path": "absolute"},
        {"list_path": "below"},
    ],
)
def test_variants_of_the_layout(tmp_path, variant):
    root = make_ls_vid_tree(tmp_path / "ls-vid", **variant)
    _check_tables(read_ls_vid(root), root / variant.get("above", BASE))


@pytest.mark.parametrize(
    "query",
    [
        np.array([QUERY], dtype=np.float64),
        np.array([QUERY], dtype=np.uint8),
        np.array(QUERY, dtype=np.float64)[:, None],
        np.array([QUERY, [9, 9]], dtype=np.float64),
        np.array(QUERY, dtype=np.int64),
    ],
)
def test_forms_of_the_query_list(root, query):
    write_query(root / BASE / "test/data/info_test.mat", query)
    _check_tables(read_ls_vid(root), root / BASE)


def test_prefixes_are_compared_part_by_part(root):
    """0001_0001 is the beginning of 0001_00010_15_00007.jpg, which is not one of its frames."""
    table = read_ls_vid(root).train
    assert (table["stop"] - table["start"]).tolist()[:2] == [5, 2]
    _change(root, "train", lambda lines: lines.__setitem__(0, f"{lines[0].split()[0]}_  1"))
    _check_tables(read_ls_vid(root), root / BASE)


def test_frames_come_by_number_and_other_files_do_not(root):
    folder = root / BASE / "tracklet_train/0001"
    shutil.copy(folder / "0001_0001_03_00001.jpg", folder / "0001_0001_03_100.jpg")
    (folder / "Thumbs.db").touch()
    (folder / "._0001_0001_03_00001.jpg").touch()
    shutil.copy(folder / "0001_0001_03_00001.jpg", folder / "0001_0777_03_00001.jpg")  # of no listed tracklet
    benchmark = read_ls_vid(root)
    names = [path.name for path in benchmark.train_frames.paths(0, benchmark.train["stop"][0])]
    assert names == [*(f"0001_0001_03_{frame:05d}.jpg" for frame in range(1, 6)), "0001_0001_03_100.jpg"]


def test_the_whole_set_has_the_published_counts(tmp_path):
    """As many tracklets as in LS-VID; how they are spread over people is made up."""
    path = np.array([b"x"])
    train = [Tracklet(row % 842, 1 + row % 15, path) for row in range(2831)]
    test = [Tracklet(1000 + row % 2730, 1 + row % 15, path) for row in range(3504 + 7829)]
    is_query = np.arange(len(test)) % 3 == 0
    is_query[np.flatnonzero(is_query)[3504:]] = False
    benchmark = LS_VID.benchmark(tmp_path, (tmp_path, train), (tmp_path, test), is_query, strict=True)
    assert (len(benchmark.query()), len(benchmark.gallery())) == (3504, 7829)


def test_counts_that_differ_are_said_or_refused(root):
    (notice,) = read_ls_vid(root).notices
    assert notice == (
        "counts differ from LS-VID: train tracklets 8 instead of 2,831; train identities 4 instead of 842; "
        "queries 2 instead of 3,504; gallery tracklets 4 instead of 7,829; cameras 3 instead of 15."
    )
    with pytest.raises(ValueError, match=r"Counts differ from LS-VID.*data\.strict=true"):
        read_ls_vid(root, strict=True)


# Refusals.


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tracklet_train/0012/0012_0004", "instead of a path and the number of an identity"),
        ("tracklet_train/0012/0012_0004 x", "instead of a path and the number of an identity"),
        ("tracklet_train/0012/0012_0004 -1", "instead of a path and the number of an identity"),
        (f"tracklet_train/0012/0012_0004 {'9' * 5000}", "instead of a path and the number of an identity"),
        ("tracklet_train/../0012_0004 12", "is no path such as tracklet_train/0001/0001_0003"),
        ("0012_0004 12", "is no path such as"),
        ("tracklet_test/0012/0012_0004 12", "is no path such as"),
        ("tracklet_train/0012/_ 12", "is no path such as"),
        ("tracklet_train/0012/0012_0009 12", "0012 holds no frame whose name begins with 0012_0009_: unpack"),
        ("tracklet_train/0012/0012_00 12", "0012 holds no frame whose name begins with 0012_00_"),
        ("tracklet_train/0077/0077_0001 12", "there is no folder .*0077: unpack"),
        ("tracklet_train/0012/0012_0005 12", "line 6 names the tracklet of .*line 5 again"),
        ("tracklet_train/0012/0012_0004 13", "0012 is of identity 13 .*line 5. and of identity 12 .*line 6"),
        ("tracklet_train/0012/0012 12", "belongs to two tracklets of the list, 0012 and 0012_0005"),
    ],
)
def test_lines_of_another_form_are_named(root, line, words):
    _change(root, "train", lambda lines: lines.__setitem__(4, line))
    with pytest.raises(ValueError, match=words):
        read_ls_vid(root)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "names no tracklet"), (b"\xff\xfe", "not readable as text")],
)
def test_files_that_are_no_lists_are_refused(root, content, words):
    (root / BASE / "list_sequence/list_seq_test.txt").write_bytes(content)
    with pytest.raises(ValueError, match=rf"list_seq_test\.txt .*{words}"):
        read_ls_vid(root)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("0012_0004_16_00002.jpg", r"third part of the name should be a camera, 1\.\.15"),
        ("0012_0004_c2_00002.jpg", "third part of the name should be a camera"),
        ("0012_0004.jpg", "third part of the name should be a camera"),
    ],
)
def test_names_without_a_camera_are_refused(root, name, words):
    folder = root / BASE / "tracklet_train/0012"
    (folder / "0012_0004_02_00003.jpg").unlink()
    (folder / "0012_0004_02_00002.jpg").rename(folder / name)
    with pytest.raises(ValueError, match=words):
        read_ls_vid(root)


def test_a_tracklet_of_two_cameras_is_refused(root):
    folder = root / BASE / "tracklet_train/0012"
    (folder / "0012_0004_02_00003.jpg").rename(folder / "0012_0004_03_00003.jpg")
    with pytest.raises(ValueError, match=r"two cameras for 0012_0004, 0012_0004_0\d.* and 0012_0004_0\d"):
        read_ls_vid(root)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (np.array([[0.0, 2.0]]), r"0 in query is no line of the test list, 1\.\.6"),
        (np.array([[2.0, 7.0]]), r"7 in query is no line of the test list, 1\.\.6"),
        (np.array([[1.5, 2.0]]), r"1\.5 in query"),
        (np.array([[np.nan, 2.0]]), "nan in query"),
        (np.array([[2.0, 2.0]]), "query names a tracklet twice"),
        (np.zeros((0, 1)), r"query has shape \(0, 1\)"),
        (np.zeros((1, 2, 2)), r"query has shape \(1, 2, 2\)"),
        (np.array([[b"a"]]), "instead of one row of numbers"),
    ],
)
def test_query_lists_that_cannot_be_are_refused(root, query, words):
    write_query(root / BASE / "test/data/info_test.mat", query)
    with pytest.raises(ValueError, match=words):
        read_ls_vid(root)


def test_unreadable_query_lists_are_refused(root):
    file = root / BASE / "test/data/info_test.mat"
    write_query(file, np.array([[1.0]]), "queries")
    with pytest.raises(
        ValueError, match="holds gallery, queries but not the variable query: this is not the test"
    ):
        read_ls_vid(root)
    write_query(file, np.array([[1.0]]), "query/inner")
    with pytest.raises(ValueError, match="but not the variable query"):
        read_ls_vid(root)
    content = file.read_bytes()
    file.write_bytes(content.replace(b"gallery", b"\xffallery"))
    with pytest.raises(ValueError, match="but not the variable query"):
        read_ls_vid(root)
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"info_test\.mat is not a readable MATLAB file"):
        read_ls_vid(root)
    file.write_bytes(b"MATLAB")
    with pytest.raises(ValueError, match=r"info_test\.mat is not a readable MATLAB file"):
        read_ls_vid(root)
    file.unlink()
    with pytest.raises(
        FileNotFoundError, match=r"has info_test\.mat in none of test/data, info/data, info: take"
    ):
        read_ls_vid(root)


def test_missing_lists_and_folders_are_named(root, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere: set data\.root"):
        read_ls_vid(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"neither LS-VID/tracklet_train .*did you mean .*/ls-vid\?"):
        read_ls_vid(root.parent)
    (root / BASE / "list_sequence/list_seq_test.txt").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"has list_seq_test\.txt in none of list_sequence, info/list_"
    ):
        read_ls_vid(root)
    shutil.rmtree(root / BASE / "tracklet_test")
    with pytest.raises(FileNotFoundError, match="has no folder tracklet_test: unpack the images there"):
        read_ls_vid(root)


# From the tree to batches.


def _module(root, **options):
    settings = {"height": 32, "width": 16, "clip_length": 2, "batch_size": 2, "workers": 0, "keypoints": None}
    return LsVidDataModule(root, **{**settings, **options})


def test_batches(ls_vid_root):
    module = _module(ls_vid_root)
    assert module.num_identities == 4
    roles = torch.cat([batch.roles for batch in module.test_dataloader()])
    assert roles.tolist() == [1, 2, 1, 2, 2, 2]
    with pytest.raises(ValueError, match="'queries_removed': choose one of official"):
        _module(ls_vid_root, protocol="queries_removed")


def test_training_tracklets_can_be_cut_into_pieces(ls_vid_root):
    whole, cut = _module(ls_vid_root), _module(ls_vid_root, piece_frames=2)
    # Lengths of the tracklets of TRAIN: 5 2 2 3 2 1 3 7.
    assert len(whole.train_table) == 8
    assert (cut.train_table["stop"] - cut.train_table["start"]).tolist() == [
        *(2, 2, 1), 2, 2, *(2, 1), 2, 1, *(2, 1), *(2, 2, 2, 1),
    ]  # fmt: skip
    assert sum(len(batch.pids) for batch in cut.train_dataloader()) == 14  # of 15, in whole batches
    assert cut.benchmark.train.equals(whole.benchmark.train)
    assert cut.num_identities == 4


def test_held_out_tracklets_stay_whole(ls_vid_root):
    module = _module(ls_vid_root, piece_frames=2, held_out_identities=2)
    whole = _module(ls_vid_root, held_out_identities=2)
    assert module.validation_table.equals(whole.validation_table)
    assert len(module.train_table) > len(whole.train_table)


@pytest.mark.parametrize("frames", [0, -1, 1.5, True, "48"])
def test_pieces_of_no_number_of_frames_are_refused(tmp_path, frames):
    with pytest.raises(ValueError, match=rf"data\.piece_frames={frames} is no number of frames: choose"):
        LsVidDataModule(tmp_path, piece_frames=frames)


def test_the_configuration_builds_it(ls_vid_root, tmp_path):
    overrides = ("data=ls_vid", "data.workers=0", "data.piece_frames=3")
    module = instantiate(compose_training(ls_vid_root, tmp_path, *overrides).data)
    assert isinstance(module, LsVidDataModule)
    assert len(module.train_data()) == 11
