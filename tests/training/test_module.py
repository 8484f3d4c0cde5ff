"""What the module hands from a network to the metric."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from vidreid.data.batch import ClipBatch
from vidreid.losses.recipe import LossRecipe
from vidreid.metrics.reid import ReidMetric
from vidreid.metrics.segments import Segments
from vidreid.models.network import ReidNetwork
from vidreid.models.outputs import TrainingOutputs
from vidreid.training.module import ReidModule


class Guided(ReidNetwork):
    """Describes by the first pixels; the second segment shows if the first joint of a frame does."""

    segments = (2, 1)
    segment_weights = (3.0, 1.0)

    def forward(self, images, keypoints=None, cameras=None) -> TrainingOutputs:
        raise NotImplementedError

    def describe(self, images, keypoints=None, cameras=None) -> Tensor:
        return images[:, 0, :, 0, 0]

    def visible_segments(self, keypoints: Tensor | None) -> Tensor | None:
        if keypoints is None:
            return None
        shows = keypoints[:, :, 0, 2].amax(dim=1) > 0
        return torch.stack([torch.ones_like(shows), shows], dim=1)

    def exported(self) -> "Guided":
        return self

    def training_only(self) -> list[str]:
        return []


@pytest.fixture
def module() -> ReidModule:
    losses = LossRecipe({"none": torch.nn.Identity()})
    metric = partial(ReidMetric, max_rank=20)
    test_metric = partial(metric, cameras="legacy_frames", frames_per_clip=2)
    return ReidModule(
        Guided(), losses, lambda _: None, lambda *_: None, metric, test_metric,  # pyright: ignore
        mean=(0.0, 0.0, 0.0), std=(1 / 255, 1 / 255, 1 / 255),
    )  # fmt: skip


def batch(keypoints: Tensor | None) -> ClipBatch:
    values = torch.tensor([[1, 2, 3], [1, 2, 9], [4, 4, 3]], dtype=torch.uint8)
    images = values[:, None, :, None, None].expand(3, 2, 3, 4, 2)
    return ClipBatch(
        images,
        keypoints,
        pids=torch.tensor([5, 5, 6]),
        cameras=torch.tensor([1, 2, 2]),
        tracklets=torch.arange(3),
        clips=torch.arange(3),
        roles=torch.tensor([1, 2, 2]),
    )


def collect(module: ReidModule, keypoints: Tensor | None) -> ReidMetric:
    module._start_metric(module.make_metric, SimpleNamespace(dataset=range(3)), 1.0)
    module._collect(batch(keypoints))
    assert module.metric is not None
    return module.metric


def test_the_metric_knows_the_networks_segments_and_what_shows(module: ReidModule) -> None:
    keypoints = torch.ones(3, 2, 4, 3)
    keypoints[1, :, 0, 2] = 0
    metric = collect(module, keypoints)
    assert metric.segments == Segments((2, 1), (3.0, 1.0))
    descriptors = metric.descriptors()
    assert descriptors.visible is not None
    assert descriptors.visible.tolist() == [[True, True], [True, False], [True, True]]
    # Without the hidden value, by which the stranger would be nearer, the right answer comes first.
    assert metric.compute()["rank1"] == 1


def test_without_keypoints_all_is_compared(module: ReidModule) -> None:
    metric = collect(module, None)
    assert metric.descriptors().visible is None
    assert metric.compute()["rank1"] == 0


def test_the_metric_knows_the_outfits(module: ReidModule) -> None:
    for outfits, counted in ((torch.tensor([1, 1, 1]), 0), (torch.tensor([1, 2, 1]), 1), (None, 0)):
        make = partial(module.make_metric, answers="other_outfit")
        module._start_metric(make, SimpleNamespace(dataset=range(3)), 1.0)
        module._collect(batch(None)._replace(outfits=outfits))
        assert module.metric is not None
        assert module.metric.compute()["queries_counted"] == counted


def test_the_protocol_of_the_test_set_is_not_that_of_validation(module: ReidModule) -> None:
    module._start_metric(module.make_test_metric, SimpleNamespace(dataset=range(3)), 1.0)
    assert module.metric is not None
    assert module.metric.cameras == "legacy_frames"
    assert collect(module, None).cameras == "tracklets"
