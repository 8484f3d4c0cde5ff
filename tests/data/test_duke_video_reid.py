"""DukeMTMC-VideoReID as copies of it lie on disk."""

import shutil

import numpy as np
import pytest
import torch
from hydra.utils import instantiate

from support.duke_video_reid_tree import GALLERY, QUERY, TRAIN, make_duke_video_reid_tree, paths_of
from support.runs import compose_training
from vidreid.data.duke_video_reid import DukeVideoReidDataModule, read_duke_video_reid
from vidreid.data.readers.duke_video_reid_reader import DUKE_VIDEO_REID
from vidreid.data.readers.separate_lists import Tracklet


@pytest.fixture
def root(tmp_path):
    return make_duke_video_reid_tree(tmp_path / "duke")


@pytest.mark.parametrize("style", ["joined", "underscores"])
@pytest.mark.parametrize("above", ["DukeMTMC-VideoReID", "", "DukeMTMC-VideoReID/DukeMTMC-VideoReID"])
def test_tables_say_what_was_written(tmp_path, style, above):
    root = make_duke_video_reid_tree(tmp_path / "duke", above=above, style=style)
    benchmark = read_duke_video_reid(root)
    splits = ["train"] * len(TRAIN), ["query"] * len(QUERY) + ["gallery"] * len(GALLERY)
    for table, frames, written, folders in (
        (benchmark.train, benchmark.train_frames, TRAIN, splits[0]),
        (benchmark.test, benchmark.test_frames, QUERY + GALLERY, splits[1]),
    ):
        assert table["tracklet"].tolist() == list(range(len(written)))
        assert table["pid"].tolist() == [pid for pid, *_ in written]
        assert table["camera"].tolist() == [camera for _, _, camera, _ in written]
        read = [frames.paths(start, stop) for start, stop in zip(table["start"], table["stop"], strict=True)]
        assert read == [
            [root / above / folder / path for path in paths_of(tracklet, style)]
            for tracklet, folder in zip(written, folders, strict=True)
        ]
        assert all(path.is_file() for paths in read for path in paths)
    assert benchmark.test["is_query"].tolist() == [True] * len(QUERY) + [False] * len(GALLERY)
    assert benchmark.name == "duke_video_reid"


def test_both_styles_and_other_files_may_be_mixed(root):
    plain = read_duke_video_reid(root)
    folder = root / "DukeMTMC-VideoReID/train/0001/0002"
    (folder / "0001C2F9999X501.jpg").rename(folder / "0001_C2_F9999_X501.jpg")
    (folder / "Thumbs.db").touch()
    (folder / "._0001C2F0001X1.jpg").touch()
    (folder.parent / ".cache").mkdir()
    mixed = read_duke_video_reid(root)
    assert mixed.train.equals(plain.train)
    start, stop = mixed.train["start"][1], mixed.train["stop"][1]
    assert [path.name for path in mixed.train_frames.paths(start, stop)] == [
        "0001C2F0002X500.jpg",
        "0001_C2_F9999_X501.jpg",
        "0001C2F10000X502.jpg",
    ]


def test_the_whole_set_has_the_published_counts(tmp_path):
    """As many tracklets as in the data set; how they are spread over people is made up."""
    path = np.array([b"x"])
    train = [Tracklet(row % 702, 1 + row % 8, path) for row in range(2196)]
    query = [Tracklet(2000 + row, 1, path) for row in range(702)]
    gallery = [Tracklet(2000 + row % 1110, 2, path) for row in range(2636)]
    is_query = np.arange(702 + 2636) < 702
    benchmark = DUKE_VIDEO_REID.benchmark(
        tmp_path, (tmp_path, train), (tmp_path, query + gallery), is_query, strict=True
    )
    assert (len(benchmark.query()), len(benchmark.gallery())) == (702, 2636)


def test_counts_that_differ_are_said_or_refused(root):
    (notice,) = read_duke_video_reid(root).notices
    assert notice == (
        "counts differ from DukeMTMC-VideoReID: train tracklets 8 instead of 2,196; train identities 4 "
        "instead of 702; queries 2 instead of 702; query identities 2 instead of 702; "
        "gallery tracklets 4 instead of 2,636; cameras 4 instead of 8."
    )
    with pytest.raises(ValueError, match=r"Counts differ from DukeMTMC-VideoReID.*data\.strict=true"):
        read_duke_video_reid(root, strict=True)


def test_people_in_training_and_test_are_said(root):
    base = root / "DukeMTMC-VideoReID"
    shutil.copytree(base / "gallery/0020", base / "train/0020")
    assert "1 identities occur in training and in test: results will be too good." in (
        read_duke_video_reid(root).notices
    )


# Refusals.


def _spoil(path, action):
    def spoil(root):
        action(root / "DukeMTMC-VideoReID" / path)

    return spoil


def _rename(name):
    return lambda path: path.rename(path.with_name(name))


FIRST = "train/0001/0001/0001C6F0099X30823.jpg"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_spoil("query", shutil.rmtree), "has no folder query: copy the whole data set there"),
        (
            _spoil(FIRST, _rename("0001-C6-F0099.jpg")),
            r"0001-C6-F0099\.jpg is not named like a frame, such as",
        ),
        (_spoil(FIRST, _rename("0001_C6F0099X30823.jpg")), "is not named like a frame"),
        (_spoil(FIRST, _rename("0002C6F0099X30823.jpg")), "is named after another identity than 1"),
        (
            _spoil(FIRST, _rename("0001C5F0099X30823.jpg")),
            r"0001/0001 holds frames of two cameras, 0001C5F0099X30823\.jpg and 0001C6F0100X30824\.jpg",
        ),
        (
            _spoil(FIRST, lambda path: shutil.copy(path, path.with_name("0001_C6_F0099_X30823.jpg"))),
            "holds one frame twice, 0001C6F0099X30823.jpg and 0001_C6_F0099_X30823.jpg",
        ),
        (_spoil("train/0007/0003", lambda path: path.mkdir()), "0007/0003 holds no frame such as"),
        (_spoil("gallery/others", lambda path: path.mkdir()), "gallery/others is not named by the number"),
        (
            _spoil(f"gallery/{'9' * 30}", lambda path: path.mkdir()),
            "is not named by the number of an identity",
        ),
    ],
)
def test_spoiled_trees_are_refused(root, spoil, words):
    spoil(root)
    with pytest.raises(ValueError, match=words):
        read_duke_video_reid(root)


def test_an_empty_split_is_refused(root):
    for folder in (root / "DukeMTMC-VideoReID/query").iterdir():
        shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError, match="query holds no tracklet such as 0001/0001"):
        read_duke_video_reid(root)


def test_a_missing_root_and_the_folder_above_are_said(root, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere: set data\.root"):
        read_duke_video_reid(tmp_path / "nowhere")
    with pytest.raises(
        FileNotFoundError, match=r"DukeMTMC-VideoReID/train nor train: did you mean .*/duke\?"
    ):
        read_duke_video_reid(root.parent)


# From the tree to batches.


def test_batches(duke_video_reid_root):
    module = DukeVideoReidDataModule(
        duke_video_reid_root, height=32, width=16, clip_length=2, batch_size=4, workers=0, keypoints=None
    )
    assert module.num_identities == 4
    batches = list(module.test_dataloader())
    roles = torch.cat([batch.roles for batch in batches])
    assert roles.tolist() == [1] * len(QUERY) + [2] * len(GALLERY)
    assert np.isfinite(torch.cat([batch.images for batch in batches]).numpy()).all()
    with pytest.raises(ValueError, match="'no_distractors': choose one of official"):
        DukeVideoReidDataModule(duke_video_reid_root, protocol="no_distractors")


def test_the_configuration_builds_it(duke_video_reid_root, tmp_path):
    config = compose_training(duke_video_reid_root, tmp_path, "data=duke_video_reid", "data.workers=0")
    module = instantiate(config.data)
    assert isinstance(module, DukeVideoReidDataModule)
    assert module.camera_numbers == [1, 2, 6, 8]
