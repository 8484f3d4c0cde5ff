"""iLIDS-VID as its archive lies on disk."""

import json
import shutil

import numpy as np
import pytest
import torch
from hydra.utils import instantiate

from support.camera_pair_trees import (
    ILIDS_PEOPLE,
    frames_of,
    ilids_halves,
    make_ilids_tree,
    positions,
    write_positions,
)
from support.runs import compose_training
from vidreid.data.ilids_vid import IlidsVidDataModule, read_ilids_vid
from vidreid.data.samplers import Draw
from vidreid.keypoints.store import write_keypoints

SMALL = {"height": 32, "width": 16, "clip_length": 2, "batch_size": 4, "workers": 0, "keypoints": None}


@pytest.fixture
def root(tmp_path):
    return make_ilids_tree(tmp_path / "ilids-vid")


def _paths(sequences, person, camera):
    name = f"person{person:03d}"
    return [
        sequences / f"cam{camera}" / name / f"cam{camera}_{name}_{frame:05d}.png"
        for frame in frames_of(person, camera)
    ]


@pytest.mark.parametrize("split", range(10))
def test_tables_say_what_was_written(ilids_vid_root, split):
    benchmark = read_ilids_vid(ilids_vid_root, split)
    sequences = ilids_vid_root / "i-LIDS-VID" / "sequences"
    for table, numbers in zip((benchmark.train, benchmark.test), ilids_halves(split), strict=True):
        assert table["tracklet"].tolist() == list(range(2 * len(numbers)))
        assert table["pid"].tolist() == numbers * 2
        assert table["camera"].tolist() == [1] * len(numbers) + [2] * len(numbers)
        read = [
            benchmark.train_frames.paths(start, stop)
            for start, stop in zip(table["start"], table["stop"], strict=True)
        ]
        assert read == [
            _paths(sequences, pid, camera) for pid, camera in zip(table["pid"], table["camera"], strict=True)
        ]
        assert all(path.is_file() for paths in read for path in paths)
    assert benchmark.query("cross_camera")["camera"].unique().tolist() == [1]
    assert benchmark.gallery("cross_camera")["camera"].unique().tolist() == [2]
    assert sorted(benchmark.query("cross_camera")["pid"]) == sorted(benchmark.gallery("cross_camera")["pid"])


def test_all_splits_share_one_frame_list(ilids_vid_root):
    benchmarks = [read_ilids_vid(ilids_vid_root, split) for split in range(10)]
    assert len({benchmark.train_frames.names_crc() for benchmark in benchmarks}) == 1
    assert all(benchmark.train_frames is benchmark.test_frames for benchmark in benchmarks)
    total = sum(len(frames_of(person, camera)) for person in ILIDS_PEOPLE for camera in (1, 2))
    assert len(benchmarks[0].train_frames) == total


@pytest.mark.parametrize("form", ["mat", "list", "both"])
@pytest.mark.parametrize("above", ["i-LIDS-VID", ""])
def test_variants_of_the_layout_give_the_same(tmp_path, ilids_vid_root, form, above):
    other = read_ilids_vid(make_ilids_tree(tmp_path / "other", above=above, splits=form), 3)
    expected = read_ilids_vid(ilids_vid_root, 3)
    assert other.train.equals(expected.train)
    assert other.test.equals(expected.test)
    assert other.train_frames.names_crc() == expected.train_frames.names_crc()
    assert other.notices == expected.notices


def test_frames_come_by_number_and_other_files_do_not(root):
    folder = root / "i-LIDS-VID/sequences/cam1/person002"
    first = next(iter(sorted(folder.iterdir())))
    shutil.copy(first, folder / "cam1_person002_100001.png")  # sorts before by name
    (folder / "Thumbs.db").write_text("")
    (folder / "._cam1_person002_00001.png").write_text("")
    shutil.copytree(folder, folder.parent / "notes")
    frames = read_ilids_vid(root).train_frames
    names = [frames.path(row).name for row in range(len(frames))]
    own = [name for name in names if name.startswith("cam1_person002")]
    assert [int(name[:-4].rpartition("_")[2]) for name in own] == [*frames_of(2, 1), 100001]


def test_splits_that_contradict_each_other_are_said(tmp_path):
    root = make_ilids_tree(tmp_path / "tree", splits="both")
    listed = json.loads((root / "splits.json").read_text())
    (root / "splits.json").write_text(json.dumps(listed[::-1]))
    (notice, _) = read_ilids_vid(root).notices
    assert "holds other splits than" in notice
    assert read_ilids_vid(root).train["pid"].tolist()[:6] == ilids_halves(0)[0]
    (root / "splits.json").write_text('[{"trainval": [1]}]')
    assert "holds other splits than" in read_ilids_vid(root).notices[0]


def test_the_whole_set_has_the_published_counts(tmp_path):
    people = [number for number in range(1, 320) if number % 17]
    people = people[:300]
    for camera in (1, 2):
        for person in people:
            folder = tmp_path / f"sequences/cam{camera}/person{person:03d}"
            folder.mkdir(parents=True)
            (folder / f"cam{camera}_person{person:03d}_00001.png").touch()
    write_positions(tmp_path, positions(10, 300))
    benchmark = read_ilids_vid(tmp_path, 9, strict=True)
    assert benchmark.notices == []
    assert (len(benchmark.query("cross_camera")), len(benchmark.gallery("cross_camera"))) == (150, 150)
    row = positions(10, 300)[9].astype(int)
    assert set(benchmark.test["pid"]) == {people[place - 1] for place in row[:150]}


def test_counts_that_differ_are_said_or_refused(root):
    (notice,) = read_ilids_vid(root).notices
    assert notice == (
        "counts differ from iLIDS-VID: train tracklets 12 instead of 300; train identities 6 instead of 150; "
        "queries 6 instead of 150; gallery tracklets 6 instead of 150."
    )
    with pytest.raises(ValueError, match=r"Counts differ from iLIDS-VID.*data\.strict=true"):
        read_ilids_vid(root, strict=True)


# Refusals.


def test_missing_folders_are_named(root, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere: set data\.root"):
        read_ilids_vid(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"neither i-LIDS-VID/sequences.*did you mean .*ilids-vid\?"):
        read_ilids_vid(root.parent)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"neither .* nor sequences: unpack the images of iLIDS-VID"):
        read_ilids_vid(tmp_path / "empty")
    shutil.rmtree(root / "i-LIDS-VID/sequences/cam2")
    with pytest.raises(FileNotFoundError, match="sequences has no folder cam2: unpack"):
        read_ilids_vid(root)


def test_missing_splits_are_said(tmp_path):
    root = make_ilids_tree(tmp_path / "tree", splits="none")
    with pytest.raises(FileNotFoundError, match=r"neither train-test people splits/.*\.mat nor splits\.json"):
        read_ilids_vid(root)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (np.zeros((2, 3, 4)), r"ls_set has shape \(2, 3, 4\)"),
        (positions(10, 11), r"ls_set has shape \(10, 11\) instead of \(10, 300\)"),
        (positions(10, 14), r"ls_set has shape \(10, 14\), one column a person, but 12 people"),
        (positions(10, 12).T, r"ls_set has shape \(12, 10\), one column a person"),
        (positions(10, 12) - 1, r"row 1 of ls_set does not hold each of 1\.\.12 once"),
        (np.zeros((0, 12)), r"ls_set has shape \(0, 12\)"),
    ],
)
def test_split_files_of_another_form_are_refused(root, rows, words):
    write_positions(root, rows)
    with pytest.raises(ValueError, match=words):
        read_ilids_vid(root)


def test_fewer_splits_are_said(root):
    write_positions(root, positions(3, 12))
    assert "splits 3 instead of 10" in read_ilids_vid(root).notices[0]
    with pytest.raises(ValueError, match=r"choose one of 0\.\.2"):
        read_ilids_vid(root, 3)


def test_unreadable_split_files_are_refused(root):
    write_positions(root, positions(10, 12), "other")
    with pytest.raises(ValueError, match="holds other but not the variable ls_set"):
        read_ilids_vid(root)
    (root / "train-test people splits/train_test_splits_ilidsvid.mat").write_bytes(b"MATLAB")
    with pytest.raises(ValueError, match="not a readable MATLAB file"):
        read_ilids_vid(root)


@pytest.mark.parametrize("split", [-1, 10, "0", 1.0, True])
def test_a_split_out_of_range_is_refused(root, split):
    with pytest.raises(ValueError, match=rf"data\.split={split} is not among the 10 .*one of 0\.\.9"):
        IlidsVidDataModule(root, split=split, **SMALL).setup()


def test_people_and_frames_that_are_missing_are_named(root, tmp_path):
    sequences = root / "i-LIDS-VID/sequences"
    for file in (sequences / "cam2/person009").iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match=r"cam2/person009 holds no frame such as cam1_person001"):
        read_ilids_vid(root)
    shutil.rmtree(sequences / "cam2/person009")
    with pytest.raises(FileNotFoundError, match=r"no folder .*cam2/person009, but one of the other camera"):
        read_ilids_vid(root)
    listed = make_ilids_tree(tmp_path / "listed", splits="list")
    shutil.rmtree(listed / "i-LIDS-VID/sequences/cam1/person319")
    with pytest.raises(
        FileNotFoundError, match=r"The splits name person319, but .*no folder .*cam1/person319"
    ):
        read_ilids_vid(listed)


@pytest.mark.parametrize(
    "name", ["x.png", "cam2_person001_00001.png", "cam1_person002_00001.jpg", "00001.png"]
)
def test_frames_with_odd_names_are_refused(root, name):
    (root / "i-LIDS-VID/sequences/cam1/person001" / name).touch()
    with pytest.raises(ValueError, match=rf"cam1/person001/{name} is not named like a frame of this folder"):
        read_ilids_vid(root)


def test_a_frame_that_is_there_twice_is_refused(root):
    folder = root / "i-LIDS-VID/sequences/cam1/person001"
    (folder / f"cam1_person001_{frames_of(1, 1)[0]}.jpg").touch()
    with pytest.raises(ValueError, match="cam1/person001 holds one frame twice"):
        read_ilids_vid(root)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[", "not readable as JSON"),
        ("{}", "must be a list of"),
        ("[]", "must be a list of"),
        ("[3]", "split 0 is not of the form"),
        ('[{"train": ["person001"]}]', "split 0: 'test' is no list of names"),
        ('[{"train": [1], "test": ["person002"]}]', "split 0: 'train' is no list of names"),
        ('[{"train": ["person001"], "test": ["person001"]}]', "split 0 names person001 twice"),
        ('[{"train": ["person001"], "test": ["p2"]}]', "'p2' is no name such as person001"),
        ('[{"train": ["person001"], "test": ["person1"]}]', "the number of person001 in two ways"),
    ],
)
def test_lists_of_another_form_are_refused(tmp_path, content, words):
    root = make_ilids_tree(tmp_path / "tree", splits="none")
    (root / "splits.json").write_text(content)
    with pytest.raises(ValueError, match=words):
        read_ilids_vid(root)


# From the tree to batches.


def test_the_module_serves_its_split(ilids_vid_root):
    module = IlidsVidDataModule(ilids_vid_root, split=4, test_clip_length=2, **SMALL)
    train, test = ilids_halves(4)
    assert (module.num_identities, module.camera_numbers) == (6, [1, 2])
    batches = list(module.test_dataloader())
    assert torch.cat([batch.roles for batch in batches]).tolist() == [1] * 6 + [2] * 6
    assert torch.cat([batch.pids for batch in batches]).tolist() == test * 2
    assert set(module.train_table["pid"]) == set(train)
    with pytest.raises(ValueError, match="'official': choose one of cross_camera"):
        IlidsVidDataModule(ilids_vid_root, protocol="official", **SMALL)


def test_held_out_identities_have_answers(ilids_vid_root):
    module = IlidsVidDataModule(ilids_vid_root, held_out_identities=2, **SMALL)
    assert torch.cat([batch.roles for batch in module.val_dataloader()]).tolist() == [3] * 4


@pytest.mark.parametrize("source", ["detector", "pose_files"])
def test_one_store_serves_training_and_test_of_every_split(root, source):
    frames = read_ilids_vid(root).train_frames
    keypoints = np.random.default_rng(0).uniform(0.25, 0.75, (len(frames), 17, 3)).astype(np.float16)
    if source == "detector":
        write_keypoints(root / "keypoints/detector", "sequences", keypoints, frames.names_crc(), "some")
    for row in range(len(frames) if source == "pose_files" else 0):
        file = root / "sequences_keypoints" / frames.relative(row).replace(".png", ".pose")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(keypoints[row].astype(float).tolist()))
    for split in (0, 7):
        module = IlidsVidDataModule(
            root, split=split, test_keypoints=True, joints="coco17", erase=0.0, flip=0.0,
            train_sampling="evenly", **{**SMALL, "keypoints": source},
        )  # fmt: skip
        pairs = [(module.train_data()[Draw(row, 0)], table) for row, table in _rows(module.train_table)]
        pairs += [(module.test_data()[row], table) for row, table in _rows(module.benchmark.test)]
        assert len(pairs) == 24
        for clip, (start, stop) in pairs:
            middles = [start + (2 * i + 1) * (stop - start) // 4 for i in range(2)]
            np.testing.assert_allclose(clip.keypoints, keypoints[middles], rtol=1e-3)


def _rows(table):
    return enumerate(zip(table["start"], table["stop"], strict=True))


def test_the_configuration_builds_it(ilids_vid_root, tmp_path):
    config = compose_training(ilids_vid_root, tmp_path, "data=ilids_vid", "data.workers=0", "data.split=2")
    module = instantiate(config.data)
    assert isinstance(module, IlidsVidDataModule)
    assert (module.split, module.protocol) == (2, "cross_camera")
    assert set(module.train_table["pid"]) == set(ilids_halves(2)[0])
