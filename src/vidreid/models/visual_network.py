"""A visual branch as a network of its own, and its export for description alone."""

import copy

from torch import Tensor

from vidreid.models.network import ReidNetwork
from vidreid.models.outputs import TrainingOutputs
from vidreid.models.visual_branch import VisualBranch


class VisualNetwork(ReidNetwork):
    """Train and describe with a visual branch alone: the baselines of KMPNet.

    Args:
        visual: The visual branch.
    """

    def __init__(self, visual: VisualBranch) -> None:
        super().__init__()
        self.visual = visual

    def forward(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> TrainingOutputs:
        """Return the logits ``(B, T, C)`` or ``(B, C)`` of every head, and the embeddings.

        Args:
            images: ``(B, T, 3, H, W)``, normalised.
            keypoints: Not used.
            cameras: Not used.
        """
        return self.visual.outputs(self.visual.stages(images.flatten(0, 1)), images.shape[1])

    def describe(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> Tensor:
        """Return a descriptor a clip, ``(B, D)``.

        Args:
            images: ``(B, T, 3, H, W)``, normalised.
            keypoints: Not used.
            cameras: Not used.
        """
        return self.visual.describe(self.visual.stages(images.flatten(0, 1)), images.shape[1])

    def exported(self) -> "VisualNetwork":
        """Return a copy for description alone: see ``export_visual``."""
        return export_visual(self)

    def training_only(self) -> list[str]:
        """Return the children that only training needs: the classifiers, and the graph of a KMPNet."""
        return ["visual.head", "graph"]


def export_visual(network: VisualNetwork) -> VisualNetwork:
    """Return a copy of a network for description alone, in evaluation mode.

    What only training needs is left out: the graph and the classifiers. Its ``describe`` gives the same bits
    as the original's; its state dict is that of the visual branch without the head.

    Args:
        network: VisualNetwork or KMPNet.
    """
    head, network.visual.head = network.visual.head, None
    try:
        visual = copy.deepcopy(network.visual)
    finally:
        network.visual.head = head
    return VisualNetwork(visual).eval()
