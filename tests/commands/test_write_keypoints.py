"""A benchmark's keypoints as files of other tools, and back."""

import json
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from support.runs import call
from vidreid.commands import config_dir
from vidreid.commands.write_keypoints import write_keypoints
from vidreid.data.ilids_vid import read_ilids_vid
from vidreid.data.mars import read_mars
from vidreid.errors import DataError
from vidreid.keypoints.choice import choose_pose
from vidreid.keypoints.formats import open_pose_files
from vidreid.keypoints.layouts import select_joints, stored_layout, to_store
from vidreid.keypoints.store import KeypointStore
from vidreid.keypoints.store import write_keypoints as write_store


def asked(root: Path, out: Path, *overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose("write_keypoints", [f"data.root={root}", f"out={out}", *overrides])


@pytest.mark.parametrize("form", ["coco", "openpifpaf"])
def test_a_store_comes_back(tiny_root: Path, tmp_path: Path, form: str) -> None:
    written = write_keypoints(asked(tiny_root, tmp_path, f"format={form}", "data.keypoints=detector"))
    ending = ".json" if form == "coco" else ""
    assert written == [tmp_path / f"bbox_train{ending}", tmp_path / f"bbox_test{ending}"]
    benchmark = read_mars(tiny_root)
    for target, frames in zip(written, (benchmark.train_frames, benchmark.test_frames), strict=True):
        source = open_pose_files(target, form)
        store = KeypointStore.open(
            tiny_root / "keypoints" / "detector", target.stem, len(frames), frames.names_crc()
        )
        found = np.zeros((len(frames), 17, 3))
        for row in range(len(frames)):
            pose = choose_pose(source.poses(frames.relative(row), (128, 64)), (128, 64), "score")
            if pose is not None:
                found[row] = to_store(pose, source.skeleton)
        stored = store[:]
        assert (stored[..., 2] > 0).mean() > 0.3
        np.testing.assert_allclose(found[..., 2], stored[..., 2], atol=1e-4)
        there = found[..., 2] > 0
        np.testing.assert_allclose(found[there], stored[there], atol=0.006)


def test_the_size_of_the_images_is_written(tiny_root: Path, tmp_path: Path) -> None:
    settings = ("format=coco", "data.keypoints=true", "split=test")
    (file,) = write_keypoints(asked(tiny_root, tmp_path, *settings))
    images = json.loads(file.read_text())["images"]
    assert len(images) == len(read_mars(tiny_root).test_frames)
    assert {(image["height"], image["width"]) for image in images} == {(128, 64)}


@pytest.mark.parametrize(("form", "skeleton"), [("coco", "posetrack17"), ("openpifpaf", "coco17")])
def test_posetracks_joints_of_frames_that_both_splits_share(
    ilids_vid_root: Path, tmp_path: Path, form: str, skeleton: str
) -> None:
    frames = read_ilids_vid(ilids_vid_root).train_frames
    keypoints = np.random.default_rng(0).uniform(0.25, 1, (len(frames), 17, 3)).round(2)
    keypoints[:, 3:5] = 0  # PoseTrack's ears are never annotated
    keypoints[3] = 0
    store = tmp_path / "store"
    write_store(store, "sequences", keypoints, frames.names_crc(), "test", "posetrack17")
    settings = ("data=ilids_vid", f"format={form}", f"data.keypoints={store}")
    (target,) = write_keypoints(asked(ilids_vid_root, tmp_path / "out", *settings))
    source = open_pose_files(target, form)
    assert stored_layout(source.skeleton) == source.skeleton == skeleton
    assert source.poses(frames.relative(3), (128, 64)) == []
    (pose,) = source.poses(frames.relative(4), (128, 64))
    wanted = (
        keypoints[4] if skeleton == "posetrack17" else select_joints(keypoints[4], "coco17", "posetrack17")
    )
    np.testing.assert_allclose(pose.keypoints, wanted, atol=0.006)


def test_wrong_settings_are_said(tiny_root: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="format='pose': choose one of coco, openpifpaf"):
        write_keypoints(asked(tiny_root, tmp_path, "format=pose"))
    with pytest.raises(ValueError, match="split='val': choose one of train, test"):
        write_keypoints(asked(tiny_root, tmp_path, "format=coco", "split=val"))
    with pytest.raises(ValueError, match=r"No keypoints are named: set data\.keypoints"):
        write_keypoints(asked(tiny_root, tmp_path, "format=coco"))
    with pytest.raises(DataError, match="There are no keypoints in"):
        write_keypoints(asked(tiny_root, tmp_path, "format=coco", f"data.keypoints={tmp_path / 'none'}"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_command_itself(repo_root: Path, tiny_root: Path, tmp_path: Path) -> None:
    settings = (
        f"data.root={tiny_root}",
        "data.keypoints=detector",
        "format=openpifpaf",
        "out=out",
        "split=train",
    )
    status, output = call(repo_root, "write_keypoints.py", *settings, cwd=tmp_path)
    assert status == 0, output
    assert "out/bbox_train: keypoints of" in output
    status, output = call(repo_root, "write_keypoints.py", *settings, cwd=tmp_path)
    assert status == 1
    assert "error: out/bbox_train exists already" in output
