"""What training, evaluation and export ask of every network."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor, nn

from vidreid.models.outputs import TrainingOutputs


class ReidNetwork(nn.Module, ABC):
    """A network from clips to logits, embeddings and descriptors.

    It knows nothing of training, configurations or files.

    Attributes:
        segments: Sizes of the parts that a descriptor is joined from, ``sum(segments) == D``, for a network
            whose parts may be invisible; ``None`` for one whose descriptors are always whole.
        segment_weights: Shares that the segments are expected to have in a squared distance, in any unit;
            ``None`` stands for their sizes.
        describes_with_keypoints: Whether ``describe`` reads keypoints.
        clip_frames: The one length of clips ``T`` that the network was built for; ``None`` if any will do.
        embedding_sizes: Widths of the vectors ``global`` and ``part``, for losses with a table of centres.
    """

    segments: tuple[int, ...] | None = None
    segment_weights: tuple[float, ...] | None = None
    describes_with_keypoints: bool = False
    clip_frames: int | None = None
    embedding_sizes: Mapping[str, int] = MappingProxyType({})

    @abstractmethod
    def forward(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> TrainingOutputs:
        """Return what the losses read.

        Args:
            images: ``(B, T, 3, H, W)``, normalised.
            keypoints: ``(B, T, K, 3)`` in pixels of the images, confidence 0 for a missing joint.
            cameras: ``(B,)`` camera numbers of the data.
        """

    @abstractmethod
    def describe(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> Tensor:
        """Return a descriptor a clip, ``(B, D)``; arguments as in ``forward``."""

    def visible_segments(self, keypoints: Tensor | None) -> Tensor | None:
        """Return which parts of the descriptor show, ``(B, S)`` bool, or ``None`` if all always do.

        What does not show is left out of the distance.

        Args:
            keypoints: ``(B, T, K, 3)`` as for ``describe``.
        """
        return None

    @abstractmethod
    def exported(self) -> "ReidNetwork":
        """Return a copy for description alone, in evaluation mode, without what only training needs."""

    @abstractmethod
    def training_only(self) -> list[str]:
        """Return the names of the children that only training needs."""

    def describing_parameters(self) -> int:
        """Return the number of parameters that a descriptor needs."""
        only = tuple(f"{name}." for name in self.training_only())
        return sum(p.numel() for name, p in self.named_parameters() if not name.startswith(only))
