"""Own data from files to batches: keypoints, boxes, cameras, configuration, and real pictures."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hydra.utils import instantiate

from support.own_data import HEIGHT, WIDTH, make_folder_tree, rows_of_noise, with_keypoints
from support.runs import NARROW, SMALL, compose_training
from vidreid.commands.train import train
from vidreid.data.datamodule import ReidDataModule
from vidreid.data.own_data import FolderTreeDataModule, ManifestDataModule
from vidreid.keypoints.store import write_keypoints

PLAIN = {"flip": 0.0, "erase": 0.0, "joints": "coco17", "test_keypoints": True, "workers": 0}
SIZE = {"height": HEIGHT, "width": WIDTH, "clip_length": 3, "test_clip_length": 3, "test_batch_size": 99}


def _module(root, **options):
    return ManifestDataModule(root, **{**SIZE, **PLAIN, "keypoints": None, **options})


def _test_batch(module):
    (batch,) = module.test_dataloader()
    return batch


def _joints_of(module, joints, rows):
    """Joints of the test tracklets by the names of their frames."""
    by_name = dict(zip(rows["frame_path"], joints, strict=True))
    frames = module.benchmark.test_frames
    test = module.benchmark.test
    return np.array(
        [
            [by_name[frames.relative(row)] for row in range(*span)]
            for span in zip(test["start"], test["stop"], strict=True)
        ]
    )


@pytest.mark.parametrize("workers", [0, 1])
def test_keypoints_of_the_manifest(tmp_path, workers):
    rows, joints = with_keypoints(rows_of_noise(tmp_path))
    rows.sample(frac=1, random_state=0).to_csv(tmp_path / "manifest.csv", index=False)
    module = _module(tmp_path, keypoints="manifest", workers=workers, cameras="each_tracklet")
    batch = _test_batch(module)
    np.testing.assert_allclose(batch.keypoints.numpy(), _joints_of(module, joints, rows), rtol=1e-5)


def test_keypoints_move_into_the_box(tmp_path):
    rows, joints = with_keypoints(rows_of_noise(tmp_path))
    joints[:, 5] = 0
    rows["keypoints"] = [json.dumps(one.tolist()) for one in joints]
    boxed = rows.assign(x=4, y=-3, width=WIDTH, height=HEIGHT / 2 + 3)
    boxed.to_csv(tmp_path / "manifest.csv", index=False)
    module = _module(tmp_path, keypoints="manifest", height=HEIGHT // 2, width=WIDTH - 4)
    batch = _test_batch(module)
    expected = _joints_of(module, joints, rows)
    expected[..., 0] -= 4  # y begins at the border of the image
    expected[..., 5, :] = 0
    np.testing.assert_allclose(batch.keypoints.numpy(), expected, rtol=1e-4, atol=1e-4)
    rows.drop(columns="keypoints").to_csv(tmp_path / "whole.csv", index=False)
    whole = _test_batch(_module(tmp_path, manifest="whole.csv"))
    np.testing.assert_array_equal(batch.images, whole.images[..., : HEIGHT // 2, 4:])


def test_a_store_belongs_to_names_and_boxes(tmp_path):
    rows = rows_of_noise(tmp_path).assign(x=1, y=1, width=8, height=8)
    rows.to_csv(tmp_path / "manifest.csv", index=False)
    frames = _module(tmp_path).benchmark.train_frames
    joints = np.random.default_rng(0).random((len(frames), 17, 3))
    write_keypoints(tmp_path / "keypoints/detector", "frames", joints, frames.names_crc(), "test")
    assert _test_batch(_module(tmp_path, keypoints="detector")).keypoints.shape == (6, 3, 17, 3)
    rows.assign(width=9).to_csv(tmp_path / "manifest.csv", index=False)
    with pytest.raises(ValueError, match="these keypoints belong to other images"):
        _test_batch(_module(tmp_path, keypoints="detector"))
    with pytest.raises(ValueError, match="pose_files has one file an image, but here several boxes"):
        _test_batch(_module(tmp_path, keypoints="pose_files"))


def test_keypoints_that_are_not_there_are_said(tmp_path):
    rows_of_noise(tmp_path).to_csv(tmp_path / "manifest.csv", index=False)
    with pytest.raises(ValueError, match=r"has no keypoints: add a column keypoints, set data\.keypoints to"):
        _test_batch(_module(tmp_path, keypoints="manifest"))
    with pytest.raises(
        ValueError, match=r"the keypoints of a manifest \(data=manifest\), which these data have"
    ):
        FolderTreeDataModule(make_folder_tree(tmp_path / "tree"), keypoints="manifest").train_data()


def test_unknown_cameras_are_none_that_a_network_could_learn(tmp_path):
    rows_of_noise(tmp_path).to_csv(tmp_path / "manifest.csv", index=False)
    assert _module(tmp_path).camera_numbers == [1, 2]
    assert _module(tmp_path, cameras="each_tracklet").camera_numbers == [0]
    with pytest.raises(ValueError, match="choose one of given, each_tracklet"):
        _module(tmp_path, cameras="unknown")
    with pytest.raises(ValueError, match="choose one of official, queries_removed, no_distractors"):
        _module(tmp_path, protocol="junk_as_wrong")


def test_a_manifest_may_lie_deeper(tmp_path):
    rows_of_noise(tmp_path / "2026").to_parquet(tmp_path / "2026/list.parquet")
    module = _module(tmp_path, manifest="2026/list.parquet")
    assert module.benchmark.train_frames.folder == tmp_path / "2026"
    assert len(_test_batch(module).images) == 6


@pytest.mark.parametrize(
    ("data", "kind"), [("manifest", ManifestDataModule), ("folders", FolderTreeDataModule)]
)
def test_the_configuration_builds_them(data, kind, repo_root, tmp_path):
    import inspect

    config = compose_training(tmp_path, tmp_path, f"data={data}", "data.held_out_identities=2")
    assert type(instantiate(config.data)) is kind
    parameters = {
        name for one in kind.__mro__[: kind.__mro__.index(ReidDataModule) + 1] if "__init__" in vars(one)
        for name in inspect.signature(one.__init__).parameters
    }  # fmt: skip
    assert set(config.data) - {"_target_"} == parameters - {"self", "settings"}
    own = yaml.safe_load((repo_root / f"conf/data/{data}.yaml").read_text())
    assert (own["sampler"], own["cameras"]) == ("identity", "given")


def test_real_pictures_are_read_split_and_trained_on(shared_data, tmp_path):
    root = Path(shared_data) / "pku_reid_half"
    if not root.is_dir():
        pytest.skip(f"{root} is not there")
    module = _module(root, height=64, width=32)
    everybody = pd.concat([module.benchmark.train, module.benchmark.test])
    assert len(everybody) == 74
    assert set(everybody["stop"] - everybody["start"]) == {8}
    assert len(set(module.benchmark.train["pid"])) == 19
    assert len(module.benchmark.query()) == len(module.benchmark.gallery()) == 36
    metrics = train(
        compose_training(
            root, tmp_path / "run", "experiment=pcb_synthetic", "data=manifest", "debug=fast",
            "data.height=64", "data.width=32", "data.identities_per_batch=2",
            "trainer.limit_test_batches=1.0",
            *SMALL, *NARROW,
        )
    )  # fmt: skip
    assert (metrics["queries_counted"], metrics["queries_dropped"], metrics["gallery"]) == (36, 0, 36)
    assert metrics["data"]["train_identities"] == 19
    # Each query has one answer among the 35 others.
    assert metrics["mAP"] == pytest.approx(metrics["mINP"])
    assert (tmp_path / "run/pictures/ranked.png").is_file()
