"""Folders of one's own data: person/camera/tracklet/frames."""

import os
from pathlib import Path

import pytest

from support.own_data import CAMERAS, PEOPLE, make_folder_tree, write_noise
from vidreid.data.own.folder_tree import natural_key, read_folder_tree
from vidreid.data.own_data import FolderTreeDataModule


@pytest.fixture
def root(tmp_path):
    return make_folder_tree(tmp_path / "people")


def test_tables_say_what_was_written(root):
    benchmark = FolderTreeDataModule(root).benchmark
    assert benchmark.person_names == dict(enumerate(PEOPLE, start=1))
    assert benchmark.camera_names == dict(enumerate(CAMERAS, start=1))
    assert len(benchmark.train) == len(benchmark.test) == 6
    row = benchmark.train.iloc[0]
    folder = root / benchmark.person_names[row["pid"]] / benchmark.camera_names[row["camera"]] / "t1"
    assert benchmark.train_frames.paths(row["start"], row["stop"]) == [
        folder / f"frame{number}.png" for number in (2, 9, 10)
    ]
    assert benchmark.name == "folders"
    assert benchmark.test["is_query"].all()


def test_other_files_are_left_alone(root):
    before = read_folder_tree(root).table
    for name in (".DS_Store", "Thumbs.db", "notes.txt", ".hidden.png"):
        for folder in (root, root / "anna", root / "anna/door", root / "anna/door/t1"):
            (folder / name).write_bytes(b"")
    for name in (".git/objects", "keypoints/detector", "frames_keypoints/anna", "__MACOSX/anna"):
        (root / name).mkdir(parents=True)
    assert read_folder_tree(root).table.equals(before)


def test_without_a_level_of_cameras(root, tmp_path):
    for person in PEOPLE:
        for camera in CAMERAS:
            target = tmp_path / "flat" / person / camera
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(root / person / camera / "t1")
    own = FolderTreeDataModule(tmp_path / "flat", cameras="each_tracklet").benchmark
    both = FolderTreeDataModule(root, cameras="each_tracklet").benchmark
    assert own.test["camera"].tolist() == both.test["camera"].tolist() == own.test["tracklet"].add(1).tolist()
    assert (own.camera_names[1], both.camera_names[1]) == ("of anna/door", "of anna/door/t1")
    assert "numbers look too good" in own.notices[0]
    with pytest.raises(
        ValueError, match=r"elsewhere than person/camera/tracklet/frames .*cameras=each_tracklet"
    ):
        read_folder_tree(tmp_path / "flat")


def test_numbers_in_names_sort_by_their_size():
    names = ["b", "f10.png", "f9.png", "f09.png", "c2-f11", "c10-f1", "7", "a", "", "f9.jpg"]
    assert sorted(names, key=natural_key) == [
        "", "7", "a", "b", "c2-f11", "c10-f1", "f9.jpg", "f09.png", "f9.png", "f10.png",
    ]  # fmt: skip


def _frame_beside_people(root):
    write_noise(root / "1.png", [0])


def _frame_of_a_person(root):
    write_noise(root / "gina/1.png", [0])


def _frame_too_deep(root):
    write_noise(root / "anna/door/t9/part/1.png", [0])


def _frames_and_folders(root):
    write_noise(root / "anna/1.png", [0])


def _empty_tracklet(root):
    (root / "anna/door/t2").mkdir()


def _empty_person(root):
    (root / "gina").mkdir()


def _circle(root):
    (root / "anna/door/t2").symlink_to(root / "anna")


def _link_to_itself(root):
    (root / "anna/loop").symlink_to(root / "anna/loop")


def _no_utf8(root):
    Path(os.fsdecode(os.fsencode(root) + b"/anna/Zo\xeb")).mkdir()


def _one_number_in_two_ways(root):
    (root / "anna").rename(root / "7")
    (root / "bert").rename(root / "007")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_frame_beside_people, r"1\.png lies elsewhere than person/camera/tracklet/frames says"),
        (_frame_of_a_person, r"gina/1\.png lies elsewhere than"),
        (_frame_too_deep, r"anna/door/t9/part is a folder where frames should be"),
        (_frames_and_folders, r"anna holds both frames and folders, such as door: move one kind away"),
        (_empty_tracklet, r"anna/door/t2 holds no frame \(\.bmp, .*\): put its frames there, or remove it"),
        (_empty_person, r"gina holds no frame"),
        (_circle, r"anna/door/t2 is a link to .*anna, which it lies in itself: remove it"),
        (_link_to_itself, r"anna/loop cannot be read \(Too many levels of symbolic links\)"),
        (_no_utf8, r"The name b'Zo\\xeb' in .*anna is not UTF-8: rename it"),
        (_one_number_in_two_ways, r"has a person '007' and a person '7', one number written in two ways"),
    ],
)
def test_spoiled_trees_get_a_sentence(root, spoil, words):
    spoil(root)
    with pytest.raises(ValueError, match=words):
        _ = FolderTreeDataModule(root).benchmark


def test_missing_trees_are_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere: set data\.root"):
        read_folder_tree(tmp_path / "nowhere")
    with pytest.raises(
        FileNotFoundError, match="holds no folder of a person: put person/camera/tracklet/frames"
    ):
        read_folder_tree(tmp_path)
    with pytest.raises(ValueError, match=r"no data\.cameras=all: choose one of"):
        read_folder_tree(tmp_path, "all")
