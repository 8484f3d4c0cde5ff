"""KMPNet: a visual branch that learns from a graph of keypoints and describes without it."""

from collections.abc import Callable
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from vidreid.models.kmpnet.graph_branch import GraphBranch
from vidreid.models.outputs import TrainingOutputs
from vidreid.models.visual_branch import VisualBranch
from vidreid.models.visual_network import VisualNetwork

Descriptor = Literal["visual", "graph", "joined"]


class KMPNet(VisualNetwork):
    """Train a visual branch together with a graph that reads its maps; only gradients flow back (Fig. 2).

    Nothing of the graph enters the visual forward pass: ``describe`` gives the bits of the visual branch
    alone, and ``export_visual`` leaves the graph out.

    Args:
        visual: The visual branch.
        graph: Builds the graph from ``channels``, ``scales`` and ``depths`` of the visual branch (a partial
            of GraphBranch).
        descriptor: What ``describe`` gives: ``visual`` (``x_c`` of the paper, the method), ``graph``
            (``x_g``) or ``joined``, both side by side and each of unit norm. The last two are for study
            (Table 4) and need keypoints at test; the released forward pass cannot give them.

    Raises:
        ValueError: For an unknown descriptor.
    """

    def __init__(
        self, visual: VisualBranch, graph: Callable[..., GraphBranch], descriptor: Descriptor = "visual"
    ) -> None:
        super().__init__(visual)
        if descriptor not in get_args(Descriptor):
            raise ValueError(f"Unknown descriptor {descriptor!r}: choose visual, graph or joined.")
        self.graph = graph(channels=visual.channels, scales=visual.scales, depths=visual.depths)
        self.descriptor: Descriptor = descriptor

    def forward(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> TrainingOutputs:
        """Return the logits of the visual and the graph heads ``(B, T, C)``, and their embeddings.

        Args:
            images: ``(B, T, 3, H, W)``, normalised.
            keypoints: ``(B, T, K, 3)`` in pixels of ``(H, W)``.
            cameras: Not used.

        Raises:
            ValueError: If there are no keypoints.
        """
        keypoints = _required(keypoints, "KMPNet trains with keypoints")
        maps = self.visual.stages(images.flatten(0, 1))
        visual, graph = self.visual.outputs(maps, images.shape[1]), self.graph(maps, keypoints)
        return TrainingOutputs(visual.logits | graph.logits, visual.embeddings | graph.embeddings)

    def describe(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> Tensor:
        """Return a descriptor a clip, ``(B, D)``: the visual branch's, unless ``descriptor`` says otherwise.

        Args:
            images: ``(B, T, 3, H, W)``, normalised.
            keypoints: ``(B, T, K, 3)``; not used for ``visual``.
            cameras: Not used.

        Raises:
            ValueError: If the graph is to describe and there are no keypoints.
        """
        maps = self.visual.stages(images.flatten(0, 1))
        visual = self.visual.describe(maps, images.shape[1])
        if self.descriptor == "visual":
            return visual
        keypoints = _required(keypoints, f"descriptor={self.descriptor} reads keypoints")
        graph = self.graph.describe(maps, keypoints)
        if self.descriptor == "graph":
            return graph
        return torch.cat([_unit(visual), _unit(graph)], dim=1)


def _unit(descriptors: Tensor) -> Tensor:
    return F.normalize(descriptors, dim=1)


def _required(keypoints: Tensor | None, why: str) -> Tensor:
    if keypoints is None:
        raise ValueError(
            f"{why} and the batch has none: give a keypoint store to the data (data.keypoints, and "
            "data.test_keypoints=true to describe with them)."
        )
    return keypoints
