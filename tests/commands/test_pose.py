"""``pose``: from images with planted dots to stores that the data read."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException, MissingConfigException
from hydra.utils import instantiate
from omegaconf import DictConfig

from support.dot_network import dotted, write_dot_network
from support.mars_tree import make_mars_tree
from support.runs import call
from vidreid.commands import config_dir
from vidreid.commands.pose import run_pose
from vidreid.data.frames import FrameError
from vidreid.data.keypoint_sources import open_keypoints
from vidreid.errors import DataError
from vidreid.keypoints.store import KeypointStore


def asked(*overrides: str) -> DictConfig:
    with initialize_config_dir(config_dir(), version_base="1.3"):
        return compose("pose", ["progress=false", "estimator=rtmpose", *overrides])


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dot_network(tmp_path_factory.mktemp("network") / "dots.onnx")


SIZES = [(32, 16), (128, 64), (256, 128), (97, 45)]


@pytest.fixture
def mars(tmp_path: Path) -> Path:
    """A tree whose frames show dots, in four sizes, without keypoints for a ``dots`` store."""
    root = make_mars_tree(tmp_path / "mars")
    for number, file in enumerate(sorted(root.glob("bbox_*/*/*.jpg"))):
        image, _ = dotted(*SIZES[number % 4])
        # JPEG would blur the dots: what decodes an image looks into it, not at its name.
        file.write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())
    return root


def test_both_splits_of_a_benchmark(mars: Path, network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ("data=mars", f"data.root={mars}", f"estimator.model={network}", "name=dots", "batch_size=7")
    folder = run_pose(asked(*settings))
    assert folder == mars / "keypoints" / "dots"
    out = capsys.readouterr().out
    data = instantiate(asked(*settings).data)
    for split, frames in (
        ("bbox_train", data.benchmark.train_frames),
        ("bbox_test", data.benchmark.test_frames),
    ):
        store = open_keypoints(folder, mars, split, frames)
        assert len(store) == len(frames)
        for row in range(len(frames)):
            height, width = cv2.imread(str(frames.path(row))).shape[:2]
            _, places = dotted(height, width)
            error = np.abs(store[[row]][0, :, :2] - places)
            assert error.max() < 0.85, (height, width)  # float16 adds up to 0.06 pixels
        assert (folder / "pictures" / f"{split}.png").is_file()
        assert f"{split}.npy: {len(frames)} frames, somebody found in 100.0%" in out
        assert f"look at {folder / 'pictures' / split}.png" in out
    assert isinstance(store, KeypointStore)
    assert store.source.startswith("RTMPose(model=dots.onnx ")
    assert store.source.endswith(", padding=1.25, choose=target)")

    run_pose(asked(*settings))
    assert capsys.readouterr().out.count("finished before: ") == 2
    with pytest.raises(DataError, match=r"another source .*padding=1.25.*instead of .*padding=1.1"):
        run_pose(asked(*settings, "estimator.padding=1.1"))


def test_the_default_name_is_where_the_data_look(mars: Path, network: Path) -> None:
    for file in (mars / "keypoints" / "detector").iterdir():
        file.unlink()
    run_pose(
        asked("data=mars", f"data.root={mars}", f"estimator.model={network}", "split=train", "sheet=false")
    )
    data = instantiate(asked("data=mars", f"data.root={mars}", "data.keypoints=detector").data)
    _, keypoints = data.train_data().reader.read(np.array([0, 5]))
    assert keypoints is not None
    assert (keypoints[..., 2] > 0).all()
    assert not (mars / "keypoints" / "detector" / "bbox_test.npy").exists()
    assert not (mars / "keypoints" / "detector" / "pictures").exists()


def test_another_model_is_another_source(mars: Path, network: Path, tmp_path: Path) -> None:
    settings = ("data=mars", f"data.root={mars}", "name=dots", "split=train", "sheet=false")
    moved = tmp_path / "elsewhere" / "dots.onnx"
    moved.parent.mkdir()
    moved.write_bytes(network.read_bytes())
    run_pose(asked(*settings, f"estimator.model={network}"))
    run_pose(asked(*settings, f"estimator.model={moved}"))
    write_dot_network(moved, gain=0.02)
    with pytest.raises(DataError, match="holds keypoints of another source"):
        run_pose(asked(*settings, f"estimator.model={moved}"))
    run_pose(asked(*settings, f"estimator.model={moved}", "restart=true"))


def test_lists_that_both_splits_share_are_done_once(
    ilids_vid_root: Path, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ("data=ilids_vid", f"data.root={ilids_vid_root}", f"estimator.model={network}")
    folder = run_pose(asked(*settings, "name=shared", "sheet=false"))
    assert capsys.readouterr().out.count("somebody found") == 1
    assert sorted(path.name for path in folder.iterdir()) == ["sequences.json", "sequences.npy"]


def test_a_plain_folder(network: Path, tmp_path: Path) -> None:
    root = tmp_path / "mine"
    for name, size in (("b/2.png", (128, 64)), ("a.png", (40, 90)), ("b/1.png", (97, 45))):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), dotted(*size)[0][..., ::-1])
    for _ in range(2):
        folder = run_pose(asked(f"folder={root}", f"estimator.model={network}"))
        assert folder == root / "keypoints" / "detector"
        names = (folder / "names.txt").read_text().splitlines()
        assert names == ["a.png", "b/1.png", "b/2.png"], "its own sheet is none of the images"
    store = KeypointStore.open(folder, "frames", len(names), None)
    np.testing.assert_allclose(store[[1]][0, :, :2], dotted(97, 45)[1], atol=0.6)


def test_frames_that_cannot_be_read(mars: Path, network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ("data=mars", f"data.root={mars}", f"estimator.model={network}", "name=dots", "split=train")
    broken = mars / "bbox_train" / "0002" / "0002C1T0001F002.jpg"
    broken.write_bytes(b"noise")
    with pytest.raises(FrameError, match=r"set data.on_bad_frame=skip_frame"):
        run_pose(asked(*settings))
    run_pose(asked(*settings, "data.on_bad_frame=skip_frame"))
    assert (
        f"note: 1 frames could not be read and have no keypoints, first {broken}" in capsys.readouterr().out
    )


def test_torchvision_s_network(tmp_path: Path) -> None:
    for n in range(2):
        cv2.imwrite(str(tmp_path / f"{n}.png"), dotted(64, 32)[0])
    folder = run_pose(
        asked(
            "estimator=keypoint_rcnn", "estimator.weights=null", "estimator.min_size=32",
            "estimator.max_size=64", "estimator.min_score=0", "estimator.max_people=1",
            "estimator.device=cpu", f"folder={tmp_path}",
        )
    )  # fmt: skip
    assert np.load(folder / "frames.npy").shape == (2, 17, 3)


def test_files_of_a_tool(tmp_path: Path) -> None:
    poses = tmp_path / "poses"
    poses.mkdir()
    person = {"keypoints": [16, 32, 0.5] * 16 + [0, -3, 0], "bbox": [0, 0, 32, 64], "score": 0.5}
    (poses / "a.png.predictions.json").write_text(json.dumps([person]))
    (poses / "b.png.predictions.json").write_text("[]")
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), dotted(64, 32)[0])
    files = ("estimator=files", f"estimator.path={poses}", "estimator.format=openpifpaf")
    folder = run_pose(asked(f"folder={tmp_path}", "name=tool", *files))
    store = KeypointStore.open(folder, "frames", 2, None)
    assert not store[:][:, 16].any(), "OpenPifPaf's absent joint"
    assert store[:][:, 3].tolist() == [[16, 32, 0.5], [0, 0, 0]]
    assert store.source.endswith("format=openpifpaf, missing=error, choose=target)")


def test_settings_that_cannot_be(mars: Path, network: Path) -> None:
    settings = ("data=mars", f"data.root={mars}", f"estimator.model={network}")
    with pytest.raises(ValueError, match="There is no split 'val': choose one of both, train, test"):
        run_pose(asked(*settings, "split=val"))
    for name in ("../up", "a/b", "''"):
        with pytest.raises(ValueError, match="is no name of a folder"):
            run_pose(asked(*settings, f"name={name}"))
    with pytest.raises(MissingConfigException, match=r"(?s)'estimator/openpose'.*rtmpose"):
        asked("estimator=openpose")
    with (
        initialize_config_dir(config_dir(), version_base="1.3"),
        pytest.raises(ConfigCompositionException, match="You must specify 'estimator'"),
    ):
        compose("pose", [])


@pytest.mark.slow
def test_the_command_says_one_sentence(repo_root: Path, tmp_path: Path) -> None:
    settings = ("estimator=rtmpose", f"folder={tmp_path}", "estimator.model=gone.onnx")
    (tmp_path / "a.png").touch()
    status, output = call(repo_root, "pose.py", *settings, cwd=tmp_path)
    assert status == 1
    assert output.startswith("error: There is no model file gone.onnx: fetch the ONNX archive")
    assert len(output.strip().splitlines()) == 1
