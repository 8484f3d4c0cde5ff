"""MEVID as it is published on disk."""

import shutil

import numpy as np
import pytest
from hydra.utils import instantiate

from support.outfit_runs import evaluated, scores_of_places, trained
from support.outfit_trees import (
    MEVID_QUERY,
    MEVID_TEST,
    MEVID_TRAIN,
    make_mevid_tree,
    mevid_name,
    write_numbers,
)
from support.runs import compose_training
from vidreid.data.frames import read_frame
from vidreid.data.mevid import MevidDataModule, read_mevid
from vidreid.data.readers.mevid_reader import MEVID_PROTOCOLS
from vidreid.errors import DataError, MissingDataError


@pytest.fixture
def root(tmp_path):
    return make_mevid_tree(tmp_path / "mevid")


def _change(root, name, change):
    """Change the rows of a table."""
    rows = np.loadtxt(root / name)
    changed = change(rows)
    write_numbers(root / name, rows if changed is None else changed)


def _names(root, change):
    file = root / "test_name.txt"
    names = file.read_text().split()
    change(names)
    file.write_text("\n".join(names))


def test_tables_say_what_was_written(mevid_root):
    benchmark = read_mevid(mevid_root)
    for split, table, frames, tracklets in (
        ("train", benchmark.train, benchmark.train_frames, MEVID_TRAIN),
        ("test", benchmark.test, benchmark.test_frames, MEVID_TEST),
    ):
        assert table["tracklet"].tolist() == list(range(len(tracklets)))
        assert len(frames) == table["stop"].iloc[-1]
        for number, ((pid, outfit, camera, count), row) in enumerate(
            zip(tracklets, table.to_dict("records"), strict=True)
        ):
            assert (row["pid"], row["outfit"], row["camera"]) == (pid, outfit, camera)
            names = [mevid_name(pid, outfit, camera, number, 7 * frame) for frame in range(count)]
            folder = mevid_root / f"bbox_{split}" / f"{pid:04d}"
            assert frames.paths(row["start"], row["stop"]) == [folder / name for name in names]
    assert np.flatnonzero(benchmark.test["is_query"]).tolist() == MEVID_QUERY
    assert benchmark.name == "mevid"
    assert read_frame(benchmark.test_frames, 0).shape == (128, 64, 3)


@pytest.mark.parametrize("lists", ["", "mevid-v1-annotation-data", "info"])
@pytest.mark.parametrize("inclusive", [True, False])
def test_variants_of_the_files_give_the_same(tmp_path, mevid_root, lists, inclusive):
    expected = read_mevid(mevid_root)
    other = read_mevid(make_mevid_tree(tmp_path / "tree", lists=lists, inclusive=inclusive))
    assert other.train.equals(expected.train)
    assert other.test.equals(expected.test)
    assert other.test_frames.names_crc() == expected.test_frames.names_crc()


@pytest.mark.parametrize("last", [1, 2])
def test_a_single_tracklet_is_read_by_the_name_list(root, last):
    """Its last frame, or one past it: only the number of names can tell."""
    write_numbers(root / "track_test_info.txt", np.array([[0, last, 5, 0, 330]]))
    write_numbers(root / "query_IDX.txt", np.array([0]))
    _names(root, lambda names: names.__delitem__(slice(2, None)))
    assert read_mevid(root).test[["start", "stop"]].to_numpy().tolist() == [[0, 2]]


def test_whole_numbers_on_one_line_are_understood(root):
    (root / "query_IDX.txt").write_text("0 5\r\n7.0e0\r\n")
    assert np.flatnonzero(read_mevid(root).test["is_query"]).tolist() == [0, 5, 7]


def test_counts_that_differ_are_said_or_refused(root):
    (notice,) = read_mevid(root).notices
    assert notice == (
        "counts differ from MEVID: train tracklets 18 instead of 6,338; train identities 6 instead of 104; "
        "test tracklets 9 instead of 1,754; test identities 4 instead of 54; outfits 18 instead of 598; "
        "cameras 5 instead of 33."
    )
    with pytest.raises(DataError, match=r"Counts differ from MEVID.*data\.strict=true"):
        read_mevid(root, strict=True)


def test_tables_can_be_read_without_images(root):
    shutil.rmtree(root / "bbox_test")
    notices = read_mevid(root).notices
    assert any("no folder" in notice and "bbox_test: tables can be read" in notice for notice in notices)


def test_missing_files_are_named(root, tmp_path):
    with pytest.raises(MissingDataError, match=r"no folder .*nowhere: set data\.root"):
        read_mevid(tmp_path / "nowhere")
    with pytest.raises(MissingDataError, match=r"Neither .* nor info in it holds .*did you mean .*/mevid\?"):
        read_mevid(root.parent)
    (root / "query_IDX.txt").unlink()
    (root / "test_name.txt").unlink()
    with pytest.raises(MissingDataError, match=r"lacks query_IDX\.txt, test_name\.txt: take the text files"):
        read_mevid(root)


# Rows of the test table: first, last, identity, outfit, camera.
@pytest.mark.parametrize(
    ("row", "column", "value", "words"),
    [
        (0, 0, 1, r"tracklet 1: frames 1 to 1, counted from 0, do not follow"),
        (4, 0, 9, r"tracklet 5: frames 9 to 11, counted from 0, do not follow those before"),
        (4, 1, 10, r"tracklet 6: frames 12 to 13"),
        (2, 1, 4, r"tracklet 3: frames 5 to 4"),
        (8, 1, 25, r"ends at frame 25, but test_name\.txt has 20 names"),
        (3, 2, 6, r"is 0005O002C330T003F00000\.jpg, but its tracklet 4 of .* is of identity 6 in outfit 2"),
        (3, 3, 1, r"its tracklet 4 of track_test_info\.txt is of identity 5 in outfit 1 before camera 330"),
        (3, 4, 331, r"before camera 331: the files do not belong together"),
        (3, 4, -330, r"before camera -330"),
        (6, 2, 99.5, r"line 7: '9\.9500.*' is no whole number"),
        (6, 1, np.nan, r"line 7: 'nan' is no whole number"),
        (6, 1, np.inf, r"line 7: 'inf' is no whole number"),
        (6, 1, 1e300, r"line 7: '1\.0000.*e\+300' is no whole number"),
    ],
)
def test_tables_that_do_not_fit_are_refused(root, row, column, value, words):
    _change(root, "track_test_info.txt", lambda rows: rows.__setitem__((row, column), value))
    with pytest.raises(DataError, match=words):
        read_mevid(root)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"0 1 5 0 330\n2 4 5 0\n", r"line 2 has 4 numbers instead of 5 \(first frame, last frame, identity"),
        (b"0 1 5 0 \xff\n", "line 1: .* is no whole number"),
        (b"start end pid outfit camera\n", "line 1: 'start' is no whole number"),
    ],
)
def test_files_that_are_no_tables_are_refused(root, content, words):
    (root / "track_test_info.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"track_test_info\.txt.* {words}|track_test_info\.txt, {words}"):
        read_mevid(root)


@pytest.mark.parametrize(
    "name",
    [
        "0005O000C330T000F0000.jpg", "0005O000C330T000F00000.png", "0005O000C330T000F000000.jpg",
        "0005o000C330T000F00000.jpg", "../0005O000C330T000F00.jpg", "0005C1T0001F001.jpg", "x",
        "0005O000C330T000F00000.jpg/../../x", "0005O000C33äT000F00000.jpg",
    ],
)  # fmt: skip
def test_odd_names_are_quoted(root, name):
    _names(root, lambda names: names.__setitem__(1, name))
    with pytest.raises(DataError, match=r"Line 2 of test_name\.txt is .* no MEVID frame name such as 0201"):
        read_mevid(root)


def test_names_that_are_all_short_are_quoted(root):
    _names(root, lambda names: names.__setitem__(slice(None), ["x"] * len(names)))
    with pytest.raises(DataError, match=r"Line 1 of test_name\.txt is 'x'"):
        read_mevid(root)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ([1, 9], r"names row 9, but track_test_info\.txt has the rows 0\.\.8: .* or this one counts from 1"),
        ([-1, 2], "names row -1"),
        ([3, 1, 3], "names a tracklet twice"),
        ([], "is empty"),
    ],
)
def test_queries_that_do_not_fit_are_refused(root, query, words):
    write_numbers(root / "query_IDX.txt", np.array(query))
    with pytest.raises(DataError, match=rf"query_IDX\.txt {words}"):
        read_mevid(root)


def test_people_in_training_and_test_are_said(root):
    _change(root, "track_train_info.txt", lambda rows: rows.__setitem__((slice(0, 3), 2), 5))
    file = root / "train_name.txt"
    file.write_text(file.read_text().replace("0002O", "0005O"))
    assert "1 identities occur in training and in test: results will be too good." in read_mevid(root).notices


# Under the three protocols.

# Rows 0, 5 and 7 ask. Query 0 finds 3 (its camera), 2 (another outfit), 8 (a stranger), 1 (its outfit).
PLACES = [0.0, 4, 2, 1, 101, 100, 201, 200, 3]


@pytest.mark.parametrize(
    ("protocol", "mean_ap", "counted"),
    [
        ("official", (5 / 6 + 1 + 1) / 3, 3),
        ("same_clothes", (1 / 2 + 1) / 2, 2),
        ("clothes_changing", (1 + 1) / 2, 2),
    ],
)
def test_protocols_by_hand(mevid_root, protocol, mean_ap, counted):
    scores = scores_of_places(mevid_root, "mevid", protocol, PLACES)
    assert scores["mAP"] == pytest.approx(mean_ap)
    assert (scores["queries_counted"], scores["queries_dropped"]) == (counted, 3 - counted)
    assert scores["gallery"] == len(MEVID_TEST) - len(MEVID_QUERY)


def test_one_step_and_every_protocol(mevid_root, tmp_path):
    run = trained(mevid_root, "mevid", tmp_path / "run")
    for protocol, counted in (("official", 3), ("same_clothes", 2), ("clothes_changing", 2)):
        metrics = evaluated(run, protocol)
        assert (metrics["protocol"], metrics["data"]["name"]) == (protocol, "mevid")
        assert (metrics["queries_counted"], metrics["queries_dropped"]) == (counted, 3 - counted)
        assert metrics["gallery"] == 6
        assert 0 < metrics["mAP"] <= 1


def test_the_configuration_builds_it(mevid_root, tmp_path):
    module = instantiate(compose_training(mevid_root, tmp_path, "data=mevid", "data.workers=0").data)
    assert isinstance(module, MevidDataModule)
    assert (module.num_identities, module.camera_numbers) == (6, [330, 401])
    assert list(MEVID_PROTOCOLS) == ["official", "same_clothes", "clothes_changing"]
    assert all(name == protocol.name for name, protocol in MEVID_PROTOCOLS.items())
