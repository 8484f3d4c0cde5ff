"""RTMPose, and other top-down networks with its outputs or heatmaps, from an ONNX file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidreid.keypoints.estimators.decoding import decode_heatmaps, decode_simcc
from vidreid.keypoints.estimators.model_file import fetched
from vidreid.keypoints.estimators.onnx_network import OnnxNetwork
from vidreid.keypoints.estimators.placement import Placement
from vidreid.keypoints.poses import Pose

MEAN = np.array([123.675, 116.28, 103.53], np.float32)
"""Of ImageNet in RGB, in 0..255, as RTMPose is trained with."""
STD = np.array([58.395, 57.12, 57.375], np.float32)


class RTMPose:
    """Finds the joints of the one person whom a crop shows.

    Source: Jiang et al., "RTMPose: Real-Time Multi-Person Pose Estimation based on MMPose", 2023.

    Attributes:
        skeleton: ``coco17``.
    """

    skeleton = "coco17"

    def __init__(
        self,
        model: str | Path | None,
        url: str | None = None,
        sha256: str | None = None,
        padding: float = 1.25,
        device: str = "auto",
    ) -> None:
        """Open the model.

        Args:
            model: ``.onnx``, or the archive that RTMPose is given out in; the size of the input is its own.
            url: Where to download it from, once, in place of ``model``.
            sha256: Checksum of the download.
            padding: How much larger than the crop the box around the person is.
            device: ``cpu``, ``cuda`` or ``auto``.

        Raises:
            ValueError: If no file is named, or for a padding or device that cannot be.
            ConnectionError: If the download fails.
            DataError: If the file is missing or no such network.
        """
        if (model is None) == (url is None):
            raise ValueError(
                "RTMPose needs one model file: set estimator.model to the .onnx or .zip from the model zoo "
                "of the RTMPose project in MMPose, or estimator.url and estimator.sha256 to download it."
            )
        if padding <= 0:
            raise ValueError(
                f"estimator.padding={padding} must be above 0: 1.25 is what RTMPose is trained with."
            )
        path = model if model is not None else fetched(str(url), sha256)
        self._network = OnnxNetwork(path, device)
        self._padding = padding

    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Pose]]:
        """Return the one person of each image; see ``PoseEstimator``.

        The score of the person is the mean confidence of the joints. Joints may lie outside the image.
        """
        if not images:
            return []
        size = self._network.size
        placements = [Placement.of((image.shape[1], image.shape[0]), size, self._padding) for image in images]
        warped = np.stack([place.warp(image) for place, image in zip(placements, images, strict=True)])
        batch = ((warped - MEAN) / STD).transpose(0, 3, 1, 2)
        outputs = self._network.run(np.ascontiguousarray(batch))
        points, confidence = (
            decode_heatmaps(outputs[0], size) if len(outputs) == 1 else decode_simcc(*outputs, size=size)
        )
        return [
            [_pose(place.back(points[n]), confidence[n], place.crop)] for n, place in enumerate(placements)
        ]


def _pose(points: NDArray[np.float64], confidence: NDArray[np.float64], crop: tuple[int, int]) -> Pose:
    keypoints = np.concatenate([points, confidence[:, None]], axis=1)
    keypoints[confidence <= 0] = 0.0
    return Pose(keypoints, box=(0.0, 0.0, float(crop[0]), float(crop[1])), score=float(confidence.mean()))
