"""PRID2011 as its archive lies on disk, and its published splits."""

import json
import shutil

import pytest
import torch
from hydra.utils import instantiate

from support.camera_pair_trees import PRID_OTHERS, PRID_PEOPLE, frames_of, make_prid_tree, prid_halves
from support.runs import compose_training
from vidreid.data.prid2011 import Prid2011DataModule, read_prid2011
from vidreid.data.readers.person_splits import people, read_split_list

LEFT_OUT = {
    6,
    19,
    31,
    52,
    57,
    62,
    71,
    94,
    106,
    120,
    136,
    138,
    139,
    142,
    145,
    158,
    159,
    166,
    183,
    190,
    199,
    200,
}
SMALL = {"height": 32, "width": 16, "clip_length": 2, "batch_size": 4, "workers": 0, "keypoints": None}


@pytest.fixture
def root(tmp_path):
    return make_prid_tree(tmp_path / "prid2011")


@pytest.fixture
def published(shared_data):
    file = shared_data / "prid2011_splits" / "splits_prid2011.json"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    return file


@pytest.mark.parametrize("split", range(10))
def test_tables_say_what_was_written(prid2011_root, split):
    benchmark = read_prid2011(prid2011_root, split)
    folder = prid2011_root / "prid_2011" / "multi_shot"
    for table, numbers in zip((benchmark.train, benchmark.test), prid_halves(split), strict=True):
        assert table["pid"].tolist() == numbers * 2
        assert table["camera"].tolist() == [1] * 6 + [2] * 6
        for pid, camera, start, stop in zip(
            table["pid"], table["camera"], table["start"], table["stop"], strict=True
        ):
            own = folder / f"cam_{' ab'[camera]}" / f"person_{pid:04d}"
            paths = benchmark.test_frames.paths(start, stop)
            assert paths == [own / f"{n + 1:04d}.png" for n in range(len(frames_of(pid, camera)))]
            assert all(path.is_file() for path in paths)
    assert benchmark.name == "prid2011"
    assert benchmark.query("cross_camera")["pid"].tolist() == prid_halves(split)[1]
    assert benchmark.gallery("cross_camera")["camera"].tolist() == [2] * 6


def test_only_people_of_the_splits_are_listed(prid2011_root):
    """So that a store fits whether or not the folders of the others are there."""
    frames = read_prid2011(prid2011_root).train_frames
    listed = {int(frames.path(row).parent.name[-4:]) for row in range(len(frames))}
    assert listed == set(PRID_PEOPLE)
    assert not listed & {*PRID_OTHERS["cam_a"], *PRID_OTHERS["cam_b"]}


def test_variants_of_the_layout_give_the_same(tmp_path, prid2011_root):
    direct = make_prid_tree(tmp_path / "direct", above="")
    beside = make_prid_tree(tmp_path / "beside")
    (beside / "splits_prid2011.json").rename(beside / "prid_2011/splits_prid2011.json")
    expected = read_prid2011(prid2011_root, 5)
    for root in (direct, beside):
        other = read_prid2011(root, 5)
        assert other.train.equals(expected.train)
        assert other.test.equals(expected.test)
        assert other.test_frames.names_crc() == expected.test_frames.names_crc()


def test_the_published_splits_are_read_as_they_are(published):
    splits = read_split_list(published)
    assert len(splits) == 10
    for split in splits:
        assert (len(split.train), len(split.test)) == (89, 89)
        assert not set(split.train) & set(split.test)
        assert sorted([*split.train, *split.test]) == people(splits)
    numbers = {int(name.removeprefix("person_")) for name in people(splits)}
    assert len(numbers) == 178
    assert set(range(1, 201)) - numbers == LEFT_OUT


def test_the_whole_set_has_the_published_counts(tmp_path, published):
    for camera, last in (("cam_a", 385), ("cam_b", 749)):
        for person in range(1, last + 1):
            folder = tmp_path / f"prid_2011/multi_shot/{camera}/person_{person:04d}"
            folder.mkdir(parents=True)
            (folder / "0001.png").touch()
    shutil.copy(published, tmp_path)
    for split, listed in enumerate(json.loads(published.read_text())):
        benchmark = read_prid2011(tmp_path, split, strict=True)
        assert benchmark.notices == []
        assert [f"person_{pid:04d}" for pid in benchmark.query("cross_camera")["pid"]] == listed["test"]
        assert len(benchmark.gallery("cross_camera")) == 89
        assert len(benchmark.train_frames) == 2 * 178


def test_counts_that_differ_are_said_or_refused(root):
    (notice,) = read_prid2011(root).notices
    assert notice == (
        "counts differ from PRID2011: train tracklets 12 instead of 178; train identities 6 instead of 89; "
        "queries 6 instead of 89; gallery tracklets 6 instead of 89."
    )
    with pytest.raises(ValueError, match=r"Counts differ from PRID2011.*data\.strict=true"):
        read_prid2011(root, strict=True)


def test_missing_folders_and_splits_are_named(root, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere: set data\.root"):
        read_prid2011(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"did you mean .*prid2011\?"):
        read_prid2011(root.parent)
    (root / "splits_prid2011.json").rename(root / "splits.json")
    with pytest.raises(FileNotFoundError, match=r"has no splits_prid2011\.json: put the ten splits"):
        read_prid2011(root)
    (root / "splits.json").rename(root / "splits_prid2011.json")
    shutil.rmtree(root / "prid_2011/multi_shot/cam_b")
    with pytest.raises(FileNotFoundError, match="multi_shot has no folder cam_b: unpack"):
        read_prid2011(root)
    shutil.rmtree(root / "prid_2011/multi_shot")
    with pytest.raises(FileNotFoundError, match="neither prid_2011/multi_shot nor multi_shot: unpack"):
        read_prid2011(root)


def test_people_and_frames_that_are_missing_are_named(root):
    own = root / "prid_2011/multi_shot/cam_b/person_0012"
    for file in own.iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match=r"cam_b/person_0012 holds no frame such as 0001\.png"):
        read_prid2011(root)
    own.rmdir()
    with pytest.raises(
        FileNotFoundError, match=r"name person_0012, but there is no folder .*cam_b/person_0012"
    ):
        read_prid2011(root)


def test_odd_names_and_splits_are_refused(root):
    with pytest.raises(ValueError, match=r"data\.split=10 is not among the 10 splits"):
        read_prid2011(root, 10)
    odd = root / "prid_2011/multi_shot/cam_a/person_0001/first.png"
    odd.touch()
    with pytest.raises(ValueError, match=r"person_0001/first\.png is not named like a frame"):
        read_prid2011(root)
    odd.unlink()
    (root / "splits_prid2011.json").write_text('[{"train": ["person_0001"], "test": ["p2"]}]')
    with pytest.raises(ValueError, match="names 'p2', which is no name such as person_0001"):
        read_prid2011(root)


def test_the_module_serves_its_split(prid2011_root, tmp_path):
    config = compose_training(prid2011_root, tmp_path, "data=prid2011", "data.split=3", "data.workers=0")
    module = instantiate(config.data)
    assert isinstance(module, Prid2011DataModule)
    train, test = prid_halves(3)
    assert set(module.train_table["pid"]) == set(train)
    assert module.test_data().pids.tolist() == test * 2
    small = Prid2011DataModule(prid2011_root, split=3, test_clip_length=2, **SMALL)
    roles = torch.cat([batch.roles for batch in small.test_dataloader()])
    assert roles.tolist() == [1] * 6 + [2] * 6
