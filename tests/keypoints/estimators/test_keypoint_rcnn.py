"""The plumbing around torchvision's network, with random weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models.detection import KeypointRCNN_ResNet50_FPN_Weights

from vidreid.errors import DataError, MissingDataError
from vidreid.keypoints.estimators.keypoint_rcnn import KeypointRCNN


def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (h, w, 3), dtype=np.uint8) for h, w in ((64, 32), (40, 40), (64, 32))]


def test_people_with_joints_in_the_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    torch.manual_seed(0)
    finder = KeypointRCNN(None, 64, 128, min_score=0.0, max_people=2, device="cpu")
    found = finder.estimate(images())
    assert len(found) == 3
    assert [len(people) for people in found] == [2, 2, 2]
    for image, people in zip(images(), found, strict=True):
        height, width = image.shape[:2]
        for pose in people:
            assert pose.keypoints.shape == (17, 3)
            assert pose.keypoints.dtype == np.float64
            assert (pose.keypoints[:, :2] >= -1).all()
            assert (pose.keypoints[:, :2] <= [width + 1, height + 1]).all()
            assert ((pose.keypoints[:, 2] > 0) & (pose.keypoints[:, 2] <= 1)).all()
            assert pose.box is not None
            assert pose.box[0] + pose.box[2] <= width + 1e-3
            assert pose.box[1] + pose.box[3] <= height + 1e-3
        assert [pose.score for pose in people] == sorted((pose.score for pose in people), reverse=True)
    for image, people in zip(images(), found, strict=True):
        (alone,) = finder.estimate([image])
        assert len(alone) == len(people)
        for one, other in zip(alone, people, strict=True):
            np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-2)
    assert finder.estimate([]) == []

    # The same weights from a file, and what the network gives is what is reported.
    torch.save(finder._network.state_dict(), tmp_path / "weights.pth")
    again = KeypointRCNN(tmp_path / "weights.pth", 64, 128, device="cpu")
    told = {
        "keypoints": torch.arange(51.0).view(1, 17, 3).repeat(2, 1, 1),
        "keypoints_scores": torch.tensor([[0.0] * 17, [2.0] * 17]),
        "boxes": torch.tensor([[1.0, 2.0, 11.0, 22.0], [3.0, 4.0, 5.0, 6.0]]),
        "scores": torch.tensor([0.3, 0.9]),
        "labels": torch.tensor([1, 1]),
    }
    monkeypatch.setattr(again._network, "forward", lambda batch: [told])
    ((best, other),) = again.estimate(images()[:1])
    assert (best.box, other.box) == ((3, 4, 2, 2), (1, 2, 10, 20))
    np.testing.assert_allclose(best.keypoints[:, 2], 1 / (1 + np.exp(-2)), rtol=1e-6)
    np.testing.assert_allclose(other.keypoints[3], [9, 10, 0.5])


def test_weights_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingDataError, match="no weights file"):
        KeypointRCNN(tmp_path / "gone.pth")
    (tmp_path / "noise.pth").write_bytes(b"noise")
    with pytest.raises(DataError, match="is no file of weights"):
        KeypointRCNN(tmp_path / "noise.pth")
    torch.save({"layer": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(DataError, match="does not hold the weights of keypointrcnn_resnet50_fpn"):
        KeypointRCNN(tmp_path / "other.pth")

    def unreachable(self: object, *_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(KeypointRCNN_ResNet50_FPN_Weights, "get_state_dict", unreachable)
    with pytest.raises(ConnectionError, match=r"cannot be had from .*\(no route to host\): fetch that file"):
        KeypointRCNN()


def test_settings_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"estimator.min_size=900 .* at most estimator.max_size=800"):
        KeypointRCNN(None, min_size=900, max_size=800)
    with pytest.raises(ValueError, match=r"estimator.max_people=0 must be 1 or more"):
        KeypointRCNN(None, max_people=0)
    with pytest.raises(ValueError, match="choose one of auto, cpu, cuda"):
        KeypointRCNN(None, device="mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="torch sees no GPU here"):
        KeypointRCNN(None, device="cuda")
