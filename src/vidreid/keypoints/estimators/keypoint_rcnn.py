"""Keypoint R-CNN of torchvision: finds everybody in a picture, then their joints."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.models.detection import KeypointRCNN_ResNet50_FPN_Weights, keypointrcnn_resnet50_fpn

from vidreid.errors import DataError, MissingDataError
from vidreid.keypoints.poses import Pose

_PERSON = 1


class KeypointRCNN:
    """Finds people and their joints with ``keypointrcnn_resnet50_fpn``.

    The network scores a joint by a logit, the largest of its heatmap, which is trained by a softmax over
    places: that has no natural scale. The confidence of a joint is the logistic function of it,
    ``1 / (1 + exp(-logit))``: it keeps the order, and is 0.5 at 0 and 0.88 at 2.

    Source: He et al., "Mask R-CNN", ICCV 2017, Section 5.

    Attributes:
        skeleton: ``coco17``.
    """

    skeleton = "coco17"

    def __init__(
        self,
        weights: str | Path | None = "coco",
        min_size: int = 400,
        max_size: int = 1333,
        min_score: float = 0.05,
        max_people: int = 5,
        device: str = "auto",
    ) -> None:
        """Build the network.

        Args:
            weights: ``coco`` (torchvision's, downloaded once), a file of its state dict, or ``None`` for
                random ones, to try the plumbing.
            min_size: Pixels to which the short side of an image is scaled: crops of people are small, and the
                network knows people in photographs.
            max_size: What the long side may become at most.
            min_score: People with a lower score are left out.
            max_people: At most so many of an image, the surest: the joints of each take their time, and a
                crop shows few.
            device: ``cpu``, ``cuda`` or ``auto``.

        Raises:
            ValueError: For a size, number or device that cannot be, or one that is not there.
            ConnectionError: If torchvision's weights cannot be had.
            DataError: If the file is missing or holds other weights.
        """
        if not 0 < min_size <= max_size:
            raise ValueError(
                f"estimator.min_size={min_size} must be above 0 and at most estimator.max_size={max_size}."
            )
        if max_people < 1:
            raise ValueError(f"estimator.max_people={max_people} must be 1 or more.")
        self._device = _device(device)
        network = keypointrcnn_resnet50_fpn(
            weights=None,
            weights_backbone=None,
            min_size=min_size,
            max_size=max_size,
            box_score_thresh=min_score,
            box_detections_per_img=max_people,
        )
        if weights is not None:
            _load(network, _coco_weights() if weights == "coco" else _read_weights(Path(weights)), weights)
        self._network = network.eval().to(self._device)

    @torch.inference_mode()
    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Pose]]:
        """Return everybody in each image; see ``PoseEstimator``.

        Images of one size make one batch. Those of different sizes would be padded to the largest, and what
        is found in an image would depend on its neighbours.
        """
        found: list[list[Pose]] = [[] for _ in images]
        by_size: dict[tuple[int, ...], list[int]] = {}
        for place, image in enumerate(images):
            by_size.setdefault(image.shape, []).append(place)
        for places in by_size.values():
            batch = [self._tensor(images[place]) for place in places]
            for place, people in zip(places, self._network(batch), strict=True):
                found[place] = _poses(people)
        return found

    def _tensor(self, image: NDArray[np.uint8]) -> Tensor:
        # The network normalises by itself.
        return torch.from_numpy(image).to(self._device).permute(2, 0, 1).float() / 255


def _poses(people: Mapping[str, Tensor]) -> list[Pose]:
    persons = people["labels"] == _PERSON
    fields = (people[name][persons].double() for name in ("keypoints", "keypoints_scores", "boxes", "scores"))
    points, logits, boxes, scores = fields
    keypoints = torch.cat([points[..., :2], logits.sigmoid()[..., None]], dim=-1).cpu().numpy()
    sizes = torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1).tolist()
    order = scores.argsort(descending=True, stable=True).tolist()
    told = scores.tolist()
    return [Pose(keypoints[n], box=tuple(sizes[n]), score=told[n]) for n in order]


def _device(name: str) -> torch.device:
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f"estimator.device={name} is unknown: choose one of auto, cpu, cuda.")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("estimator.device=cuda, but torch sees no GPU here: set estimator.device=cpu.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def _coco_weights() -> Mapping[str, Any]:
    weights = KeypointRCNN_ResNet50_FPN_Weights.COCO_V1
    try:
        return weights.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise ConnectionError(
            f"torchvision's weights cannot be had from {weights.url} ({error}): fetch that file by hand and "
            "set estimator.weights to it."
        ) from error


def _read_weights(path: Path) -> Any:
    if not path.is_file():
        raise MissingDataError(
            f"There is no weights file {path}: set estimator.weights to the file of torchvision's "
            f"{KeypointRCNN_ResNet50_FPN_Weights.COCO_V1.url.rpartition('/')[2]}, or to coco to download it."
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever an arbitrary file makes torch raise
        raise DataError(f"{path} is no file of weights ({type(error).__name__}): fetch it anew.") from error


def _load(network: torch.nn.Module, state: Any, source: str | Path) -> None:
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise DataError(
            f"{source} does not hold the weights of keypointrcnn_resnet50_fpn with 17 joints: "
            "take torchvision's."
        ) from error
