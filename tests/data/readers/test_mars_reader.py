"""What people really have on disk: doubled folders, missing or short lists, files that do not fit."""

import shutil

import numpy as np
import pytest
from scipy.io import savemat

from support.mars_tree import QUERY, TEST, TRAIN, make_mars_tree
from vidreid.data.mars import read_mars
from vidreid.data.readers.mars_names import parse_names, rebuild_names


@pytest.fixture
def root(tmp_path):
    return make_mars_tree(tmp_path / "mars")


def _save(root, file_name, variable, matrix):
    savemat(root / "info" / file_name, {variable: matrix})


def _rows(split):
    rows, frame = [], 0
    for pid, camera, frames in split:
        rows.append([frame + 1, frame + frames, pid, camera])
        frame += frames
    return np.array(rows, dtype=np.int32)


def test_tables_say_what_was_written(root):
    benchmark = read_mars(root)
    for table, split in ((benchmark.train, TRAIN), (benchmark.test, TEST)):
        assert list(zip(table["pid"], table["camera"], table["stop"] - table["start"], strict=True)) == split
        assert table["tracklet"].tolist() == list(range(len(split)))
    assert np.flatnonzero(benchmark.test["is_query"]).tolist() == [q - 1 for q in QUERY]
    assert "is_query" not in benchmark.train
    assert all(path.is_file() for path in benchmark.test_frames.paths(0, len(benchmark.test_frames)))


def test_a_missing_root_is_said(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no folder .*nowhere: set data\.root to the folder that holds"
    ):
        read_mars(tmp_path / "nowhere")


def test_the_folder_above_the_root_is_noticed(root):
    with pytest.raises(FileNotFoundError, match=r"holds no folder info: did you mean .*/mars\?"):
        read_mars(root.parent)


def test_a_missing_info_folder_is_said(root):
    shutil.rmtree(root / "info")
    with pytest.raises(FileNotFoundError, match="holds no folder info: copy it there"):
        read_mars(root)


def test_missing_info_files_are_named(root):
    (root / "info/query_IDX.mat").unlink()
    (root / "info/tracks_test_info.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks tracks_test_info\.mat, query_IDX\.mat"):
        read_mars(root)


@pytest.mark.parametrize("folder", ["bbox_train", "bbox_test", "info"])
def test_folders_doubled_by_unzipping_are_accepted(root, folder):
    plain = read_mars(root)
    (root / folder).rename(root / "inner")
    (root / folder).mkdir()
    (root / "inner").rename(root / folder / folder)
    doubled = read_mars(root)
    assert doubled.notices == plain.notices
    assert doubled.train.equals(plain.train)
    assert all(
        path.is_file() for path in doubled.train_frames.paths(0, 45) + doubled.test_frames.paths(0, 37)
    )


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_both_line_ends_are_read(root, line_end):
    plain = read_mars(root)
    file = root / "info/test_name.txt"
    file.write_bytes(file.read_bytes().replace(b"\r\n", line_end))
    assert (read_mars(root).test_frames.names == plain.test_frames.names).all()


@pytest.mark.parametrize("state", ["missing", "short"])
def test_name_lists_are_rebuilt_and_that_is_said(root, state):
    plain = read_mars(root)
    for name in ("train_name.txt", "test_name.txt"):
        file = root / "info" / name
        if state == "missing":
            file.unlink()
        else:
            file.write_bytes(b"\r\n".join(file.read_bytes().split()[:-3]))
    (root / "bbox_test/0003/Thumbs.db").touch()
    (root / "bbox_test/.DS_Store").touch()
    rebuilt = read_mars(root)
    assert (rebuilt.train_frames.names == plain.train_frames.names).all()
    assert (rebuilt.test_frames.names == plain.test_frames.names).all()
    said = [notice for notice in rebuilt.notices if "rebuilt from the folders" in notice]
    assert len(said) == 2
    words = "is missing" if state == "missing" else "has 34 lines instead of 37"
    assert words in said[1]
    assert "info/test_name.txt" in said[1]


def test_a_list_that_cannot_be_rebuilt_is_refused(root):
    (root / "info/test_name.txt").unlink()
    (root / "bbox_test/0003/0003C1T0001F001.jpg").unlink()
    with pytest.raises(
        ValueError, match=r"test_name\.txt is missing, and .*bbox_test holds 36 frames instead of 37"
    ):
        read_mars(root)
    shutil.rmtree(root / "bbox_test")
    with pytest.raises(
        FileNotFoundError, match=r"test_name\.txt is missing and cannot be rebuilt.*unpack the images"
    ):
        read_mars(root)


def test_numbers_above_999_come_after_999(tmp_path):
    folder = tmp_path / "0001"
    folder.mkdir()
    for frame in (998, 1000, 999, 1001):
        (folder / f"0001C1T0001F{frame}.jpg").touch()
    (folder / "0001C1T0002F001.jpg").touch()
    names = [name.decode()[6:-4] for name in rebuild_names(tmp_path)]
    assert names == ["T0001F998", "T0001F999", "T0001F1000", "T0001F1001", "T0002F001"]


def test_counts_that_differ_are_said_or_refused(root):
    (notice,) = read_mars(root).notices
    assert notice.startswith("counts differ from MARS: train tracklets 10 instead of 8,298;")
    assert "gallery under official 8 instead of 11,310" in notice
    with pytest.raises(ValueError, match=r"Counts differ from MARS.*data\.strict=true"):
        read_mars(root, strict=True)
    (root / "synthetic.json").write_text("{}")
    assert read_mars(root, strict=True).notices == []


def test_missing_images_are_said(root):
    shutil.rmtree(root / "bbox_train")
    assert any("no folder" in notice and "bbox_train" in notice for notice in read_mars(root).notices)


def test_people_in_training_and_test_are_said(root):
    rows = _rows(TEST)
    rows[rows[:, 2] == 6, 2] = 5
    _save(root, "tracks_test_info.mat", "track_test_info", rows)
    names = (root / "info/test_name.txt").read_text().replace("0006C", "0005C")
    (root / "info/test_name.txt").write_text(names)
    assert any("1 identities occur in training and in test" in notice for notice in read_mars(root).notices)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda rows: np.delete(rows, 3, axis=0),
            "tracklet 4: frames 12 to 16, but one that starts at frame 10",
        ),
        (lambda rows: rows + np.array([1, 0, 0, 0]), "tracklet 1: frames 2 to 3"),
        (lambda rows: rows * [[1, 1, -2, 1]], r"tracklet 5: identity -6 is not in -1\.\.9999"),
        (lambda rows: rows - [[0, 0, 0, 1]], r"tracklet 1: camera 0 is not in 1\.\.9"),
        (lambda rows: rows[:, :3], r"shape \(10, 3\), expected"),
    ],
)
def test_tables_that_contradict_themselves_are_refused(root, change, words):
    _save(root, "tracks_test_info.mat", "track_test_info", change(_rows(TEST)))
    with pytest.raises(ValueError, match=words):
        read_mars(root)


@pytest.mark.parametrize("column", [2, 3])
def test_names_of_others_are_refused(root, column):
    rows = _rows(TEST)
    rows[4, column] += 1
    _save(root, "tracks_test_info.mat", "track_test_info", rows)
    with pytest.raises(
        ValueError, match=r"Frame 12 of the test name list is 0003C1T0001F001\.jpg, but its tracklet 5"
    ):
        read_mars(root)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ([5, 5], "twice"),
        ([0, 5], r"rows 1\.\.10"),
        ([11], r"rows 1\.\.10"),
        ([1], "junk"),
        ([3], "distractors"),
    ],
)
def test_queries_that_cannot_be_are_refused(root, query, words):
    _save(root, "query_IDX.mat", "query_IDX", np.array([query], dtype=np.uint16))
    with pytest.raises(ValueError, match=words):
        read_mars(root)


def test_damaged_and_foreign_files_are_named(root):
    _save(root, "query_IDX.mat", "queries", np.array([[5]]))
    with pytest.raises(ValueError, match=r"query_IDX\.mat holds queries but not the variable query_IDX"):
        read_mars(root)
    (root / "info/query_IDX.mat").write_bytes(b"<html>404</html>" * 20)
    with pytest.raises(ValueError, match=r"query_IDX\.mat is not a readable MATLAB file"):
        read_mars(root)


def test_lines_that_are_no_names_are_quoted(root):
    file = root / "info/train_name.txt"
    file.write_bytes(file.read_bytes().replace(b"0002C1T0001F002", b"0002X1T0001F002"))
    with pytest.raises(ValueError, match=r"Line 10 .*'0002X1T0001F002\.jpg'"):
        read_mars(root)
    with pytest.raises(ValueError, match="empty"):
        parse_names(np.array([], dtype="S19"))
