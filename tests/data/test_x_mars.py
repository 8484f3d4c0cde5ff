"""X-MARS: the images of MARS, whose people lie in either of its folders, in another split."""

import shutil

import numpy as np
import pytest
import torch
from hydra.utils import instantiate

from support.runs import compose_training
from support.x_mars_tree import (
    QUERY,
    TEST_PEOPLE,
    TRAIN_PEOPLE,
    make_x_mars_tree,
    names_of,
    place_of,
    rows_of,
    tracklets_of,
    write_matrix,
)
from vidreid.data.mars_format import DISTRACTOR_PID, JUNK_PID, folder_of, frame_name, write_info
from vidreid.data.x_mars import XMarsDataModule, read_x_mars


@pytest.fixture
def root(tmp_path):
    return make_x_mars_tree(tmp_path / "mars")


def _read_paths(table, frames):
    return [frames.paths(start, stop) for start, stop in zip(table["start"], table["stop"], strict=True)]


def _check_tables(benchmark, root, place=place_of):
    for table, frames, people in (
        (benchmark.train, benchmark.train_frames, TRAIN_PEOPLE),
        (benchmark.test, benchmark.test_frames, TEST_PEOPLE),
    ):
        written = tracklets_of(people)
        assert list(zip(table["pid"], table["camera"], strict=True)) == [(t[0], t[1]) for t in written]
        paths = _read_paths(table, frames)
        assert paths == [[root / place(t[0]) / folder_of(t[0]) / n for n in names_of(t)] for t in written]
        assert all(path.is_file() for tracklet in paths for path in tracklet)
        assert (
            frames.relative(0)
            == f"{place(written[0][0])}/{folder_of(written[0][0])}/{names_of(written[0])[0]}"
        )
    assert np.flatnonzero(benchmark.test["is_query"]).tolist() == [row - 1 for row in QUERY]


def test_tables_say_what_was_written(x_mars_root):
    benchmark = read_x_mars(x_mars_root)
    _check_tables(benchmark, x_mars_root)
    assert benchmark.name == "x_mars"
    # Both splits have people of both folders.
    for people in (TRAIN_PEOPLE, TEST_PEOPLE):
        assert {place_of(pid) for pid in people} == {"bbox_train", "bbox_test"}


@pytest.mark.parametrize("info", ["info", "x_mars_info"])
@pytest.mark.parametrize("file_prefix", ["", "xmars_"])
@pytest.mark.parametrize("variable_prefix", ["", "xmars_"])
@pytest.mark.parametrize("lists", [False, True])
def test_spellings_of_the_metadata(tmp_path, info, file_prefix, variable_prefix, lists):
    root = make_x_mars_tree(
        tmp_path / "mars", info=info, file_prefix=file_prefix, variable_prefix=variable_prefix, lists=lists
    )
    benchmark = read_x_mars(root)
    _check_tables(benchmark, root)
    assert len(benchmark.notices) == 1
    assert "counts differ" in benchmark.notices[0]


def test_rows_that_point_into_the_lists_of_mars_are_taken_for_lengths(tmp_path):
    root = make_x_mars_tree(tmp_path / "mars", numbering="mars")
    rows = rows_of(TRAIN_PEOPLE, "mars")
    assert (rows[1:, 0] != rows[:-1, 1] + 1).any()
    _check_tables(read_x_mars(root), root)


def test_a_tree_arranged_anew_is_read(tmp_path):
    root = make_x_mars_tree(tmp_path / "mars", arranged=True)
    _check_tables(read_x_mars(root), root, lambda pid: "bbox_train" if pid in TRAIN_PEOPLE else "bbox_test")


def test_the_folder_of_the_split_comes_first(root):
    for pid, other in ((2, "bbox_test"), (5, "bbox_test")):
        shutil.copytree(root / place_of(pid) / folder_of(pid), root / other / folder_of(pid))
    _check_tables(read_x_mars(root), root, lambda pid: "bbox_test" if pid == 5 else place_of(pid))


@pytest.mark.parametrize("folder", ["bbox_train", "bbox_test", "info"])
def test_folders_doubled_by_unzipping_are_accepted(root, folder):
    plain = read_x_mars(root)
    (root / folder).rename(root / "inner")
    (root / folder).mkdir()
    (root / "inner").rename(root / folder / folder)
    doubled = read_x_mars(root)
    assert doubled.train.equals(plain.train)
    assert all(p.is_file() for p in doubled.train_frames.paths(0, len(doubled.train_frames)))


def test_name_lists_of_other_frames_are_said(tmp_path):
    root = make_x_mars_tree(tmp_path / "mars", lists=True)
    file = root / "info/train_name.txt"
    file.write_text("".join(f"{name}\n" for name in file.read_text().split()[:-2]))
    benchmark = read_x_mars(root)
    assert benchmark.notices[0].startswith("train_name.txt has 49 lines instead of 51 and is not used")
    _check_tables(benchmark, root)


def test_tables_can_be_read_without_images(tmp_path):
    root = make_x_mars_tree(tmp_path / "mars", lists=True)
    plain = read_x_mars(root)
    for folder in ("bbox_train", "bbox_test"):
        shutil.rmtree(root / folder)
    bare = read_x_mars(root)
    assert bare.test.equals(plain.test)
    assert sum("no image" in notice for notice in bare.notices) == 2


# Counts.


def test_the_whole_set_has_the_published_counts(tmp_path):
    """As many tracklets and people as in X-MARS, one frame each; how they are spread is made up."""
    train = [(pid, 1) for pid in range(1, 620) for _ in range(7986 // 619)]
    train += [(619, 2)] * (7986 - len(train))
    test, query = [(JUNK_PID, 1)] * 870 + [(DISTRACTOR_PID, 1)] * 3248, []
    for place, pid in enumerate(range(620, 1260)):
        # 75 people of whom both tracklets ask; 557 with other tracklets too; 8 for whom nobody asks.
        asked, others = (2, 0) if place < 75 else (3, 11) if place < 632 else (0, 1)
        if asked == 3:
            asked, others = asked + (place < 75 + 182), others + (place < 75 + 236)
        query += range(len(test) + 1, len(test) + asked + 1)
        test += [(pid, camera) for camera in range(1, asked + 1)] + [(pid, 5)] * others
    names, rows = zip(_one_frame_each(train), _one_frame_each(test), strict=True)
    write_info(tmp_path, *names, *rows, np.array(query))
    benchmark = read_x_mars(tmp_path, strict=True)
    sizes = {name: len(benchmark.gallery(name)) for name in benchmark.protocols}
    assert sizes == {
        "official": 11_622,
        "junk_as_wrong": 12_492,
        "queries_removed": 9619,
        "no_distractors": 6371,
    }
    assert len(benchmark.test) - len(benchmark.query()) == 10_489
    for name, protocol in benchmark.protocols.items():
        assert f"(X-MARS: gallery {sizes[name]:,}" in protocol.summary
    assert "150 queries have no answer" in benchmark.protocols["queries_removed"].summary


def _one_frame_each(tracklets):
    names, rows, numbers = [], [], {}
    for place, (pid, camera) in enumerate(tracklets, 1):
        numbers[pid] = numbers.get(pid, 0) + 1
        names.append(frame_name(pid, camera, numbers[pid], 1))
        rows.append((place, place, pid, camera))
    return names, np.array(rows)


def test_counts_that_differ_are_said_or_refused(root):
    (notice,) = read_x_mars(root).notices
    assert notice.startswith(
        "counts differ from X-MARS: train tracklets 10 instead of 7,986; train identities 4"
    )
    # Both of identity 1, and that of identity 6 in the camera of its only other tracklet.
    assert "queries without an answer under queries_removed 3 instead of 150" in notice
    with pytest.raises(ValueError, match=r"Counts differ from X-MARS.*data\.strict=true"):
        read_x_mars(root, strict=True)


# Refusals.


def _another_camera(root):
    rows = rows_of(TRAIN_PEOPLE)
    rows[3, 3] = 6
    write_matrix(root / "info/tracks_train_info.mat", "xmars_track_train_info", rows)


def _other_lengths(root):
    rows = rows_of(TRAIN_PEOPLE)
    # Both of identity 7 in camera 2.
    rows[-2, 1] += 1
    rows[-1, 0] += 1
    write_matrix(root / "info/tracks_train_info.mat", "xmars_track_train_info", rows)


def _a_tracklet_missing(root):
    rows = np.delete(rows_of(TEST_PEOPLE), 5, axis=0)
    write_matrix(root / "info/tracks_test_info.mat", "xmars_track_test_info", rows)


def _a_tracklet_without_frames(root):
    rows = rows_of(TEST_PEOPLE)
    rows[2, 1] = rows[2, 0] - 1
    write_matrix(root / "info/tracks_test_info.mat", "xmars_track_test_info", rows)


def _words_for_numbers(root):
    write_matrix(root / "info/tracks_test_info.mat", "xmars_track_test_info", np.array([["a"] * 4]))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda root: shutil.rmtree(root / "info"),
            "no folder info: copy it there from the metadata of X-MARS",
        ),
        (lambda root: (root / "info/query_IDX.mat").unlink(), r"lacks query_IDX\.mat: take these files from"),
        (
            lambda root: shutil.rmtree(root / "bbox_test/0003"),
            r"no folder 0003 for identity 3 in .*bbox_train or .*bbox_test: unpack the images of MARS",
        ),
        (
            lambda root: (root / "bbox_train/0001/0001C1T0001F002.jpg").unlink(),
            r"0001 holds 7 frames, but the tracklets of identity 1 in tracks_test_info\.mat have 8",
        ),
        (_a_tracklet_missing, "0001 holds 8 frames, but the tracklets of identity 1 in .* have 5"),
        (_another_camera, r"is 0003C1T0002F001\.jpg, but its tracklet 4 is of identity 3, camera 6"),
        (
            _other_lengths,
            r"begins with 0007C2T0002F001\.jpg but goes on with 0007C2T0003F001\.jpg of another",
        ),
        (_a_tracklet_without_frames, r"tracks_test_info\.mat, tracklet 3: frames 6 to 5 are none"),
        (_words_for_numbers, r"is no matrix of numbers: this is not X-MARS metadata"),
    ],
)
def test_spoiled_trees_are_refused(root, spoil, words):
    spoil(root)
    with pytest.raises(ValueError, match=words):
        read_x_mars(root)


def test_messages_name_the_files_as_they_are_called(tmp_path):
    root = make_x_mars_tree(tmp_path / "mars", file_prefix="xmars_")
    write_matrix(root / "info/xmars_query_IDX.mat", "xmars_query_IDX", np.array([[1, 5]]))
    with pytest.raises(
        ValueError, match=r"xmars_query_IDX\.mat names junk .* another xmars_tracks_test_info\.mat"
    ):
        read_x_mars(root)
    (root / "info/xmars_query_IDX.mat").unlink()
    with pytest.raises(ValueError, match=r"lacks xmars_query_IDX\.mat"):
        read_x_mars(root)


def test_a_missing_root_and_the_folder_above_are_said(root, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere: set data\.root"):
        read_x_mars(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"did you mean .*/mars\?"):
        read_x_mars(root.parent)


# From the tree to batches.


def test_batches(x_mars_root):
    module = XMarsDataModule(
        x_mars_root, height=32, width=16, clip_length=2, batch_size=4, workers=0, keypoints=None
    )
    assert module.num_identities == 4
    assert {int(label) for batch in module.train_dataloader() for label in batch.pids} == {0, 1, 2, 3}
    batches = list(module.test_dataloader())
    pids = torch.cat([batch.pids for batch in batches]).tolist()
    assert pids == [t[0] for t in tracklets_of(TEST_PEOPLE) if t[0] != JUNK_PID]
    with pytest.raises(ValueError, match="'legacy_unfiltered': choose one of official, junk_as_wrong"):
        XMarsDataModule(x_mars_root, protocol="legacy_unfiltered")


def test_the_configuration_builds_it(x_mars_root, tmp_path):
    module = instantiate(compose_training(x_mars_root, tmp_path, "data=x_mars", "data.workers=0").data)
    assert isinstance(module, XMarsDataModule)
    assert module.num_identities == 4
