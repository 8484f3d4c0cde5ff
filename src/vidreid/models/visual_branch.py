"""What KMPNet and VisualNetwork ask of a visual branch."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from vidreid.models.outputs import TrainingOutputs


class VisualBranch(nn.Module, ABC):
    """A network with feature maps a frame, training heads and a descriptor a clip.

    Attributes:
        channels: Channels of the maps that ``stages`` returns.
        scales: Size of each map divided by the size of the image.
        depths: Blocks between one map and the next; a graph splits its layers in proportion.
        descriptor_size: ``D`` of ``describe``.
        head: The classifiers, which only training needs; ``None`` in an exported network.
    """

    channels: tuple[int, ...]
    scales: tuple[float, ...]
    depths: tuple[int, ...]
    descriptor_size: int
    head: nn.Module | None

    @abstractmethod
    def stages(self, frames: Tensor) -> list[Tensor]:
        """Return the maps of ``frames`` ``(N, 3, H, W)``, from the stem to the last stage."""

    @abstractmethod
    def outputs(self, maps: list[Tensor], frames: int) -> TrainingOutputs:
        """Return the named logits and embeddings of a training step.

        Args:
            maps: Maps of ``stages`` for ``B * T`` frames, clip after clip.
            frames: ``T``.
        """

    @abstractmethod
    def describe(self, maps: list[Tensor], frames: int) -> Tensor:
        """Return one descriptor a clip, ``(B, D)``; arguments as in ``outputs``."""

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


class FrameBranch(VisualBranch):
    """A visual branch that takes the frames of a clip as images (facts of the released PCB).

    Every frame is classified for itself; the descriptor of a clip is the mean of its frames', not
    normalised again.
    """

    @abstractmethod
    def classify(self, maps: list[Tensor]) -> dict[str, Tensor]:
        """Return the named logits ``(N, C)`` of every frame from the maps of ``stages``."""

    @abstractmethod
    def describe_frames(self, maps: list[Tensor]) -> Tensor:
        """Return one descriptor a frame, ``(N, D)``, from the maps of ``stages``."""

    def outputs(self, maps: list[Tensor], frames: int) -> TrainingOutputs:
        """Return the logits ``(B, T, C)`` of every head, and the descriptor as the embedding ``visual``."""
        logits = {name: logit.unflatten(0, (-1, frames)) for name, logit in self.classify(maps).items()}
        return TrainingOutputs(logits, {"visual": self.describe(maps, frames)})

    def describe(self, maps: list[Tensor], frames: int) -> Tensor:
        """Return the mean over time of the frame descriptors, ``(B, D)``."""
        return self.describe_frames(maps).unflatten(0, (-1, frames)).mean(1)
