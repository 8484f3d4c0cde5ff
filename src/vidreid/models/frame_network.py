"""A clip as separate frames: the visual branch on each, the mean over time as the descriptor."""

import copy

from torch import Tensor, nn

from vidreid.models.outputs import TrainingOutputs
from vidreid.models.visual_branch import VisualBranch


class FrameNetwork(nn.Module):
    """Treat the frames of a clip as images (facts of the released PCB: cross-entropy a frame, mean
    descriptor).

    Args:
        visual: The network for single frames.
    """

    def __init__(self, visual: VisualBranch) -> None:
        super().__init__()
        self.visual = visual

    def forward(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> TrainingOutputs:
        """Return the logits ``(B, T, C)`` of every head, and the clip descriptor as the embedding ``visual``.

        Args:
            images: ``(B, T, 3, H, W)``, normalised.
            keypoints: Not used.
            cameras: Not used.
        """
        return self._visual_outputs(self.visual.stages(images.flatten(0, 1)), images)

    def describe(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> Tensor:
        """Return the mean over time of the frame descriptors, ``(B, D)``, not normalised again.

        Args:
            images: ``(B, T, 3, H, W)``, normalised.
            keypoints: Not used.
            cameras: Not used.
        """
        return self._clip_descriptor(self.visual.stages(images.flatten(0, 1)), images)

    def _visual_outputs(self, maps: list[Tensor], images: Tensor) -> TrainingOutputs:
        logits = {name: _by_clip(logit, images) for name, logit in self.visual.classify(maps).items()}
        return TrainingOutputs(logits, {"visual": self._clip_descriptor(maps, images)})

    def _clip_descriptor(self, maps: list[Tensor], images: Tensor) -> Tensor:
        return _by_clip(self.visual.describe_frames(maps), images).mean(1)


def export_visual(network: FrameNetwork) -> FrameNetwork:
    """Return a copy of a network for description alone, in evaluation mode.

    What only training needs is left out: the graph and the classifiers. Its ``describe`` gives the same bits
    as the original's; its state dict is that of the visual branch without the head.

    Args:
        network: FrameNetwork or KMPNet.
    """
    head, network.visual.head = network.visual.head, None
    try:
        visual = copy.deepcopy(network.visual)
    finally:
        network.visual.head = head
    return FrameNetwork(visual).eval()


def _by_clip(frames: Tensor, images: Tensor) -> Tensor:
    return frames.unflatten(0, images.shape[:2])
