"""PoseTrackReID as its loader expects it on disk, with the lists written in several ways."""

import json
import shutil

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from torch import nn

from support.posetrackreid_tree import (
    GALLERY,
    QUERY,
    TRAIN,
    frames_of,
    joints_of,
    make_posetrackreid_tree,
)
from support.runs import compose_training
from vidreid.data.posetrackreid import PoseTrackReIDDataModule, read_posetrackreid
from vidreid.keypoints.skeleton import POSETRACK15
from vidreid.metrics.reid import ReidMetric
from vidreid.models.kmpnet.graph_branch import GraphBranch


@pytest.fixture
def root(tmp_path):
    return make_posetrackreid_tree(tmp_path / "posetrack-reid")


def _module(root, **options):
    settings = {"height": 32, "width": 16, "clip_length": 3, "batch_size": 4, "workers": 0, "keypoints": None}
    return PoseTrackReIDDataModule(root, **{**settings, **options})


def _change(root, name, change):
    file = root / f"{name}_names.json"
    elements = json.loads(file.read_text())
    changed = change(elements)
    file.write_text(json.dumps(elements if changed is None else changed))


@pytest.mark.parametrize("names", ["bare", "below", "through", "absolute"])
def test_tables_say_what_was_written(tmp_path, names):
    root = make_posetrackreid_tree(tmp_path / "tree", names=names)
    benchmark = read_posetrackreid(root)
    for table, frames, listed, split in (
        (benchmark.train, benchmark.train_frames, TRAIN, "train"),
        (benchmark.test, benchmark.test_frames, QUERY + GALLERY, "val"),
    ):
        assert table["tracklet"].tolist() == list(range(len(listed)))
        assert table["pid"].tolist() == [pid for pid, *_ in listed]
        assert table["camera"].tolist() == [video for _, video, _ in listed]
        expected = [
            [root / split / str(pid) / f"{name}.jpg" for name in frames_of(pid, video, count)]
            for pid, video, count in listed
        ]
        read = [frames.paths(start, stop) for start, stop in zip(table["start"], table["stop"], strict=True)]
        assert read == expected
        assert all(path.is_file() for paths in read for path in paths)
    assert benchmark.test["is_query"].tolist() == [True] * len(QUERY) + [False] * len(GALLERY)
    assert benchmark.name == "posetrackreid"


def test_text_for_identities_and_videos(tmp_path):
    plain = read_posetrackreid(make_posetrackreid_tree(tmp_path / "plain"))
    text = read_posetrackreid(make_posetrackreid_tree(tmp_path / "text", text_ids=True))
    assert text.train["pid"].tolist() == plain.train["pid"].tolist()
    # Videos are names there: 5 12 81 96 342 700 1735 over all lists.
    order = {5: 0, 12: 1, 81: 2, 96: 3, 342: 4, 700: 5, 1735: 6}
    assert text.train["camera"].tolist() == [order[video] for _, video, _ in TRAIN]
    assert text.test["camera"].tolist() == [order[video] for _, video, _ in QUERY + GALLERY]


def test_names_for_identities(root):
    people = sorted({pid for pid, *_ in TRAIN + QUERY + GALLERY}, key=lambda pid: f"p{pid}")
    for split in ("train", "val"):
        for folder in (root / split).iterdir():
            folder.rename(folder.with_name(f"p{folder.name}"))
    for name in ("train", "query", "gallery"):
        _change(root, name, lambda elements: [[names, f"p{pid}", video] for names, pid, video in elements])
    benchmark = read_posetrackreid(root)
    assert [people[pid] for pid in benchmark.train["pid"]] == [pid for pid, *_ in TRAIN]
    assert [people[pid] for pid in benchmark.test["pid"]] == [pid for pid, *_ in QUERY + GALLERY]


def test_numbers_that_fit_no_table_are_taken_for_names(root):
    _change(root, "gallery", lambda elements: elements[5].__setitem__(2, 10**30))
    cameras = read_posetrackreid(root).test["camera"].tolist()
    assert cameras[4 + 5] == sorted({"5", "12", "81", "96", "342", "700", "1735", str(10**30)}).index(
        str(10**30)
    )


def test_folders_may_be_padded(root):
    for folder in (root / "train").iterdir():
        folder.rename(folder.with_name(folder.name.zfill(6)))
    frames = read_posetrackreid(root).train_frames
    assert all(path.is_file() for path in frames.paths(0, len(frames)))


def test_counts_that_differ_are_said_or_refused(root):
    (notice,) = read_posetrackreid(root).notices
    assert notice == (
        "counts differ from PoseTrackReID: train tracklets 12 instead of 7,725; train identities 6 instead "
        "of 5,350; queries 4 instead of 847; query identities 4 instead of 830; gallery tracklets 8 instead "
        "of 1,965; gallery identities 6 instead of 1,696."
    )
    with pytest.raises(ValueError, match=r"Counts differ from PoseTrackReID.*data\.strict=true"):
        read_posetrackreid(root, strict=True)


def test_people_in_training_and_test_are_said(root):
    _change(root, "train", lambda elements: elements[0].__setitem__(1, 5))
    (root / "train/3").rename(root / "train/5")
    _change(root, "train", lambda elements: elements[1].__setitem__(1, 5))
    assert "1 identities occur in training and in test: results will be too good." in (
        read_posetrackreid(root).notices
    )


def test_frames_of_two_tracklets_are_said(root):
    _change(root, "gallery", lambda elements: elements.append(elements[0]))
    assert any(
        "3 frames of" in notice and "two tracklets of one list" in notice
        for notice in read_posetrackreid(root).notices
    )


# Missing files.


def test_a_missing_root_and_the_folder_above_are_said(root, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere: set data\.root"):
        read_posetrackreid(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"lacks train_names.*did you mean .*posetrack-reid\?"):
        read_posetrackreid(root.parent)


def test_missing_lists_are_named(root):
    (root / "query_names.json").unlink()
    (root / "gallery_names.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks query_names\.json, gallery_names\.json: take the"):
        read_posetrackreid(root)


def test_missing_images_are_named(root):
    shutil.rmtree(root / "val/13")
    with pytest.raises(
        FileNotFoundError, match=r"query_names\.json, tracklet 3: there is no folder .*val/13"
    ):
        read_posetrackreid(root)
    shutil.rmtree(root / "val")
    with pytest.raises(FileNotFoundError, match="has no folder val: unpack the images there"):
        read_posetrackreid(root)


# Lists of another form.


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not readable as JSON"),
        ("[[", "not readable as JSON"),
        ("[]", "holds no tracklet"),
        ('{"train": []}', "holds something else"),
    ],
)
def test_files_that_are_no_lists_are_refused(root, content, words):
    (root / "train_names.json").write_text(content)
    with pytest.raises(ValueError, match=rf"train_names\.json .*{words}"):
        read_posetrackreid(root)


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ("a.pose", r"is \"a\.pose\" instead of \[\[pose file names\], identity, video\]"),
        ([["a.pose"], 3], "instead of"),
        ([["a.pose"], 3, 5, 1], "instead of"),
        (["a.pose", 3, 5], r"begins with \"a\.pose\" instead of a list"),
        ([[1, 2], 3, 5], "instead of a list of pose file names"),
        ([[], 3, 5], "has no frames"),
        ([["a.pose", "b.pose", "a.pose"], 3, 5], r"has the frame 'a\.pose' twice"),
        ([["a.pose"], None, 5], "the identity is null"),
        ([["a.pose"], -1, 5], "the identity is -1"),
        ([["a.pose"], True, 5], "the identity is true"),
        ([["a.pose"], 3, 5.5], r"the video is 5\.5"),
        ([["a.pose"], 3, ""], 'the video is ""'),
        ([["a.png"], 3, 5], r"'a\.png' is no name of a \.pose file"),
        ([["../7/a.pose"], 3, 5], r"no name of a \.pose file"),
        ([["x/val_keypoints/3/a.pose"], 3, 5], "is not in train_keypoints"),
        ([["/x/train/3/a.pose"], 3, 5], "does not lead through a folder train_keypoints"),
    ],
)
def test_elements_of_another_form_are_named(root, element, words):
    _change(root, "train", lambda elements: elements.__setitem__(4, element))
    with pytest.raises(ValueError, match=rf"train_names\.json, tracklet 5.*{words}"):
        read_posetrackreid(root)


def test_one_picture_of_two_people_or_videos_is_refused(root):
    _change(root, "gallery", lambda elements: elements[2].__setitem__(2, 700))
    with pytest.raises(
        ValueError, match=r"of identity 8 in video 12 \(query_.*, tracklet 2\) and of .* 8 in video 700"
    ):
        read_posetrackreid(root)


# From the tree to batches and numbers.


def test_the_official_protocol_separates_the_lists(posetrackreid_root):
    module = _module(posetrackreid_root)
    benchmark = module.benchmark
    assert benchmark.query()["tracklet"].tolist() == [0, 1, 2, 3]
    assert benchmark.gallery()["tracklet"].tolist() == list(range(4, 12))
    roles = torch.cat([batch.roles for batch in module.test_dataloader()])
    assert roles.tolist() == [1] * 4 + [2] * 8
    with pytest.raises(ValueError, match="'no_distractors': choose one of official"):
        _module(posetrackreid_root, protocol="no_distractors")


def test_a_query_in_the_gallery_is_not_its_own_answer(posetrackreid_root):
    module = _module(posetrackreid_root)
    metric = ReidMetric(module.test_clips, junk_pid=-1)
    # On a line: query 1 (identity 8, video 12) and its copy at 0, its answer (video 81) behind two others.
    place = torch.tensor([100.0, 0, 200, 300, 101, 102, 0, 3, 201, 301, 1, 2])
    for batch in module.test_dataloader():
        features = torch.stack([place[batch.tracklets], torch.zeros(len(batch.pids))], dim=1)
        metric.update(features, batch.clips, batch.tracklets, batch.pids, batch.cameras, batch.roles)
    result = metric.compute()
    # Three queries find theirs at once; the other ranks it third, since its copy does not count.
    assert float(result["rank1"]) == pytest.approx(3 / 4)
    assert float(result["mAP"]) == pytest.approx((1 + 1 / 3 + 1 + 1) / 4)


def test_gaps_between_identities_are_no_labels(posetrackreid_root):
    module = _module(posetrackreid_root)
    assert module.num_identities == 6
    labels = torch.cat([batch.pids for batch in module.train_dataloader()])
    assert set(labels.tolist()) == set(range(6))


def test_held_out_identities_have_answers(posetrackreid_root):
    """Each is one tracklet a video, all of which may ask: without the queries nothing would be searched."""
    module = _module(posetrackreid_root, held_out_identities=2)
    roles = torch.cat([batch.roles for batch in module.val_dataloader()])
    assert roles.tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize("pose_form", ["line", "indented"])
def test_pose_files_are_read_as_keypoints(tmp_path, pose_form):
    root = make_posetrackreid_tree(tmp_path / "tree", names="through", pose_form=pose_form)
    module = _module(root, keypoints="pose_files", joints="coco17", test_keypoints=True, test_clip_length=2)
    seen = {
        int(tracklet): keypoints
        for batch in module.test_dataloader()
        for tracklet, keypoints in zip(batch.tracklets, batch.keypoints, strict=True)
    }
    for tracklet, (pid, video, count) in enumerate(QUERY + GALLERY):
        if count != 2:
            continue
        for frame in range(2):
            expected = np.nan_to_num(joints_of(pid, video, frame, (32, 16)), nan=0.0)
            expected[1:5] = 0  # neck, top of the head and ears are no eyes and ears
            np.testing.assert_allclose(seen[tracklet][frame], expected, rtol=1e-6)


def test_the_layout_of_pose_files_can_be_said(posetrackreid_root):
    def keypoints(**options):
        module = _module(
            posetrackreid_root, keypoints="pose_files", joints="coco17", test_keypoints=True, **options
        )
        return next(iter(module.test_dataloader())).keypoints

    assert (keypoints()[..., 1:5, :] == 0).all()
    assert (keypoints(pose_layout="coco17")[..., 1:3, 2] > 0).all()
    with pytest.raises(ValueError, match="choose one of coco17, posetrack17"):
        _module(posetrackreid_root, pose_layout="openpose")


@pytest.mark.parametrize("workers", [0, 1])
def test_fifteen_joints_go_all_the_way_to_the_graph(posetrackreid_root, workers):
    module = _module(
        posetrackreid_root,
        keypoints="pose_files",
        joints="posetrack15",
        flip=1.0,
        erase=0.0,
        workers=workers,
        train_sampling="consecutive",
        clip_length=6,
        pose_layout="posetrack17",
    )
    (batch, *_) = module.train_dataloader()
    assert batch.keypoints.shape == (4, 6, 15, 3)
    pid, video, _ = TRAIN[int(batch.tracklets[0])]
    stored = np.nan_to_num(joints_of(pid, video, 0, (32, 16)), nan=0.0)
    left, right = (POSETRACK15.names.index(f"{side}_hip") for side in ("left", "right"))
    # Slots 11 and 12 are the hips; mirrored, the left one is where the right one was.
    np.testing.assert_allclose(batch.keypoints[0, 0, left], [16 - stored[12, 0], *stored[12, 1:]], rtol=1e-5)
    np.testing.assert_allclose(batch.keypoints[0, 0, right], [16 - stored[11, 0], *stored[11, 1:]], rtol=1e-5)

    torch.manual_seed(0)
    graph = GraphBranch(6, channels=(4, 8), scales=(0.5, 0.25), layers=(2,), width=8, joints="posetrack15")
    frames = batch.images.flatten(0, 1).float()
    maps = [
        nn.functional.adaptive_avg_pool2d(frames[:, :1], size).repeat(1, c, 1, 1)
        for c, size in ((4, (16, 8)), (8, (8, 4)))
    ]
    outputs = graph(maps, batch.keypoints)
    assert list(outputs.embeddings) == [f"graph_{i}" for i in range(1, 7)]
    assert all(torch.isfinite(logits).all() for logits in outputs.logits.values())


def test_the_configuration_builds_it(posetrackreid_root, tmp_path):
    config = compose_training(posetrackreid_root, tmp_path, "data=posetrackreid", "data.workers=0")
    module = instantiate(config.data)
    assert isinstance(module, PoseTrackReIDDataModule)
    assert module.num_identities == 6
    assert (module.protocol, module.keypoints) == ("official", None)


def test_missing_keypoints_are_named(tmp_path):
    root = make_posetrackreid_tree(tmp_path / "tree")
    (root / "train_keypoints/7/000005_7_0004.pose").unlink()
    module = _module(root, keypoints="pose_files", train_sampling="consecutive", clip_length=6)
    with pytest.raises(FileNotFoundError, match=r"no keypoint file .*7/000005_7_0004\.pose"):
        list(module.train_dataloader())
    shutil.rmtree(root / "train_keypoints")
    with pytest.raises(FileNotFoundError, match=r"no folder .*train_keypoints with \.pose files: unpack"):
        module.train_dataloader()
