"""Joints come out where the dots are, whatever the size of the crop."""

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from support.dot_network import MEAN, STD, dotted, save_network, write_dot_network
from vidreid.errors import DataError, MissingDataError
from vidreid.keypoints.estimators import rtmpose
from vidreid.keypoints.estimators.placement import Placement
from vidreid.keypoints.estimators.rtmpose import RTMPose

SIZES = [(32, 16), (128, 64), (256, 128), (97, 45), (61, 60), (80, 150)]
"""Height and width."""


@pytest.fixture(scope="module")
def dots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dot_network(tmp_path_factory.mktemp("network") / "dots.onnx")


def scale_by_hand(height: int, width: int, size: tuple[int, int], padding: float = 1.25) -> float:
    """The box gets the proportions of the input by its short side, then the padding."""
    if width / height < size[0] / size[1]:
        width = height * size[0] / size[1]
    return size[0] / (width * padding)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_dots_are_found(dots: Path, height: int, width: int) -> None:
    image, places = dotted(height, width)
    ((pose,),) = RTMPose(dots).estimate([image])
    error = np.abs(pose.keypoints[:, :2] - places)
    # A bin is half a pixel of the input, whose pixels are so much larger or smaller than those of the crop.
    assert error.max() < 0.6 / scale_by_hand(height, width, (192, 256))
    assert error.max() < 0.8
    assert (pose.keypoints[:, 2] > 0).all()
    assert pose.box == (0, 0, width, height)
    assert pose.score == pytest.approx(pose.keypoints[:, 2].mean())


@pytest.mark.parametrize("size", [(192, 256), (96, 128), (288, 384), (256, 256)])
def test_the_size_of_the_input_is_that_of_the_file(tmp_path: Path, size: tuple[int, int]) -> None:
    network = write_dot_network(tmp_path / "dots.onnx", size=size)
    image, places = dotted(128, 64)
    ((pose,),) = RTMPose(network).estimate([image])
    assert np.abs(pose.keypoints[:, :2] - places).max() < 0.6 / scale_by_hand(128, 64, size)


@pytest.mark.parametrize("padding", [1.0, 1.25, 1.6])
def test_padding_does_not_move_joints(dots: Path, padding: float) -> None:
    image, places = dotted(128, 64)
    ((pose,),) = RTMPose(dots, padding=padding).estimate([image])
    scale = scale_by_hand(128, 64, (192, 256), padding)
    assert np.abs(pose.keypoints[:, :2] - places).max() < 0.6 / scale


def test_heatmaps(tmp_path: Path) -> None:
    network = write_dot_network(tmp_path / "maps.onnx", outputs="heatmaps")
    image, places = dotted(256, 128)
    ((pose,),) = RTMPose(network).estimate([image])
    # Four pixels of the input a place, and its quarters: within one and a half pixels.
    assert np.abs(pose.keypoints[:, :2] - places).max() < 1.5 / scale_by_hand(256, 128, (192, 256))


@pytest.mark.parametrize("batch", ["batch", 1, 4])
def test_a_batch_of_many_sizes_is_its_images_one_by_one(tmp_path: Path, batch: int | str) -> None:
    network = RTMPose(write_dot_network(tmp_path / "dots.onnx", batch=batch))
    images = [dotted(*size)[0] for size in SIZES]
    together = network.estimate(images)
    for image, poses in zip(images, together, strict=True):
        ((alone,),) = network.estimate([image])
        np.testing.assert_allclose(poses[0].keypoints, alone.keypoints, atol=1e-5)
    assert network.estimate([]) == []


def test_a_joint_that_is_not_there_is_missing(dots: Path) -> None:
    image, _ = dotted(128, 64, leave_out=(3, 9))
    ((pose,),) = RTMPose(dots).estimate([image])
    assert np.flatnonzero(pose.keypoints[:, 2] == 0).tolist() == [3, 9]
    assert (pose.keypoints[[3, 9]] == 0).all()


def test_channels_in_the_other_order_would_show(dots: Path) -> None:
    image, places = dotted(128, 64)
    ((pose,),) = RTMPose(dots).estimate([np.ascontiguousarray(image[..., ::-1])])
    assert (np.abs(pose.keypoints[:, :2] - places).max(axis=1) > 5).sum() >= 10
    np.testing.assert_allclose(rtmpose.MEAN, MEAN, rtol=1e-6)
    np.testing.assert_allclose(rtmpose.STD, STD, rtol=1e-6)


def test_back_undoes_the_placement() -> None:
    place = Placement.of((45, 97), (192, 256), 1.25)
    assert place.scale == pytest.approx(256 / (97 * 1.25))
    np.testing.assert_allclose(place.back(np.array([[96.0, 128.0]])), [[22.5, 48.5]])
    corner = np.array([96.0, 128.0]) - place.scale * np.array([22.5, 48.5])
    np.testing.assert_allclose(place.back(corner), [0, 0], atol=1e-12)


def test_files_that_are_no_such_network(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"no model file .*gone.onnx: fetch .* estimator.model"):
        RTMPose(tmp_path / "gone.onnx")
    with pytest.raises(ValueError, match=r"set estimator.model to the .onnx or .zip"):
        RTMPose(None)
    (tmp_path / "noise.onnx").write_bytes(b"\x93NUMPY is no model" * 50)
    with pytest.raises(DataError, match="is no ONNX model"):
        RTMPose(tmp_path / "noise.onnx")
    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(DataError, match=r"empty.onnx"):
        RTMPose(tmp_path / "empty.onnx")
    whole = write_dot_network(tmp_path / "dots.onnx").read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="is no ONNX model"):
        RTMPose(tmp_path / "cut.onnx")


@pytest.mark.parametrize("outputs", ["simcc", "heatmaps"])
@pytest.mark.parametrize("joints", [26, 133])
def test_networks_of_other_joints(tmp_path: Path, joints: int, outputs) -> None:
    network = write_dot_network(tmp_path / "dots.onnx", joints=joints, outputs=outputs, size=(48, 64))
    with pytest.raises(DataError, match=f"finds {joints} joints, and a keypoint store holds COCO's 17"):
        RTMPose(network)


def test_networks_with_other_ends(tmp_path: Path) -> None:
    def write(name: str, shape: list[int | str], axes: list[int], result: list[int | str]) -> Path:
        nodes = [helper.make_node("ReduceSum", ["input", "axes"], ["sum"], keepdims=0)]
        save_network(tmp_path / name, nodes, {"axes": np.array(axes)}, shape, [("sum", result)])
        return tmp_path / name

    with pytest.raises(DataError, match=r"puts out sum \(1, 3\), neither the bins"):
        RTMPose(write("classifier.onnx", ["n", 3, 64, 48], [2, 3], ["n", 3]))
    with pytest.raises(DataError, match=r"takes input \['n', 1, 64, 48\], not one picture"):
        RTMPose(write("grey.onnx", ["n", 1, 64, 48], [2, 3], ["n", 1]))
    with pytest.raises(DataError, match="of a fixed size"):
        RTMPose(write("free.onnx", ["n", 3, "h", "w"], [2, 3], ["n", 3]))


def test_settings_that_cannot_be(dots: Path) -> None:
    with pytest.raises(ValueError, match="choose one of auto, cpu, cuda"):
        RTMPose(dots, device="tpu")
    with pytest.raises(ValueError, match=r"estimator.padding=0 must be above 0"):
        RTMPose(dots, padding=0)


def test_a_gpu_where_there_is_none(dots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ValueError, match="onnxruntime has no GPU here"):
        RTMPose(dots, device="cuda")
    assert RTMPose(dots, device="auto").estimate([dotted(32, 16)[0]])
