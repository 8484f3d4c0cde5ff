"""KMPNet: a visual branch that learns from a graph of keypoints and describes without it."""

from collections.abc import Callable

import torch
from torch import Tensor

from vidreid.models.frame_network import FrameNetwork
from vidreid.models.kmpnet.graph_branch import GraphBranch
from vidreid.models.outputs import TrainingOutputs
from vidreid.models.visual_branch import VisualBranch


class KMPNet(FrameNetwork):
    """Train a visual branch together with a graph that reads its maps; only gradients flow back (Fig. 2).

    Nothing of the graph enters the visual forward pass: ``describe`` gives the bits of the visual branch
    alone, and ``export_visual`` leaves the graph out.

    Args:
        visual: The network for single frames.
        graph: Builds the graph from ``channels`` and ``scales`` of the visual branch (a partial of
            GraphBranch).
    """

    def __init__(self, visual: VisualBranch, graph: Callable[..., GraphBranch]) -> None:
        super().__init__(visual)
        self.graph = graph(channels=visual.channels, scales=visual.scales)

    def forward(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> TrainingOutputs:
        """Return the logits ``(B, T, C)`` of the visual and the graph heads, and their embeddings.

        Args:
            images: ``(B, T, 3, H, W)``, normalised.
            keypoints: ``(B, T, K, 3)`` in pixels of ``(H, W)``.
            cameras: Not used.

        Raises:
            ValueError: If there are no keypoints.
        """
        keypoints = _required(keypoints)
        maps = self.visual.stages(images.flatten(0, 1))
        visual, graph = self._visual_outputs(maps, images), self.graph(maps, keypoints)
        return TrainingOutputs(visual.logits | graph.logits, visual.embeddings | graph.embeddings)

    @torch.no_grad()
    def describe_graph(self, images: Tensor, keypoints: Tensor) -> Tensor:
        """Return the graph's own descriptor ``(B, P * embedding)``, the mean over time (Table 4, ``x_g``).

        The released forward pass cannot reach it. For study only: it is worse than ``describe``.
        """
        maps = self.visual.stages(images.flatten(0, 1))
        return self.graph.describe_frames(maps, keypoints).unflatten(0, images.shape[:2]).mean(1)


def _required(keypoints: Tensor | None) -> Tensor:
    if keypoints is None:
        raise ValueError(
            "KMPNet trains with keypoints and the batch has none: give a keypoint store to the data."
        )
    return keypoints
