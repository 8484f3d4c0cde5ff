"""What KMPNet and FrameNetwork ask of a network for single frames."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class VisualBranch(nn.Module, ABC):
    """A network for single frames with five taps, training heads and a descriptor.

    Attributes:
        channels: Channels of the five maps that ``stages`` returns.
        scales: Size of each map divided by the size of the image.
        descriptor_size: ``D`` of ``describe_frames``.
        head: The classifiers, which only training needs; ``None`` in an exported network.
    """

    channels: tuple[int, ...]
    scales: tuple[float, ...]
    descriptor_size: int
    head: nn.Module | None

    @abstractmethod
    def stages(self, frames: Tensor) -> list[Tensor]:
        """Return the five maps of ``frames`` ``(N, 3, H, W)``."""

    @abstractmethod
    def classify(self, maps: list[Tensor]) -> dict[str, Tensor]:
        """Return the named logits ``(N, C)`` of a training step from the maps of ``stages``."""

    @abstractmethod
    def describe_frames(self, maps: list[Tensor]) -> Tensor:
        """Return one descriptor a frame, ``(N, D)``, from the maps of ``stages``."""

    def training_head(self) -> nn.Module:
        """Return the head.

        Raises:
            RuntimeError: If the network was exported without it.
        """
        if self.head is None:
            raise RuntimeError(
                "This network was exported for description only and has no classifiers to train."
            )
        return self.head
