"""What VID-Trans-ReID, KeyRe-ID and TransReID share: a ViT trunk, a global branch and a branch of parts."""

import copy
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.layers.bn_neck import NeckClassifier, bn_neck
from vidreid.models.layers.clip_tokens import ClipTokens, Tokens, check_tokens, clip_tokens
from vidreid.models.layers.shift_shuffle import shift_shuffle_order
from vidreid.models.layers.temporal_attention import TemporalAttention
from vidreid.models.layers.token_block import cls_row
from vidreid.models.network import ReidNetwork
from vidreid.models.outputs import TrainingOutputs

GLOBAL = "global"
Neck = Literal["after", "before"]
Join = Literal["divided", "unit"]


class TwoBranchTransformer(ReidNetwork):
    """Frames through a ViT; their [CLS] make the global vector, their patches the vectors of parts.

    The global branch is the last block of the ViT, of which the [CLS] row is read, and temporal attention
    over frames. The local branch is one block over the token and the rows of a clip (``clip_tokens``), read
    once a part. Each vector has a BN-neck and a classifier of its own; metric losses read it before the neck.

    Args:
        num_identities: Number of training identities.
        backbone: The trunk.
        part_names: Names of the parts, which are the names of their heads.
        frames: ``T`` of a clip, on which the local branch's width depends unless ``tokens`` is ``frames``.
        tokens: How the tokens of frames are flattened, see ``clip_tokens``.
        shuffle: Shift and shuffle the rows (TCSS).
        shift: Rows to shift by, counted from [CLS].
        groups: Runs that are dealt out.
        global_branch: Build it; at least one of the two.
        local_branch: Build it.
        temporal_attention: Pool frames by attention; otherwise by their mean.
        pretrained_local: Start the local block from the trunk's last one instead of at random; it must be as
            wide.
        neck: Whether descriptors are taken ``after`` the BN-necks, or ``before``.
        join: How vectors are joined to a descriptor: parts ``divided`` by their number, as released, or each
            vector of ``unit`` length, so that every part and the global vector count alike.
        shortcuts: Compute only what is read; ``False`` computes all and drops it, for checks and benchmarks.

    Raises:
        ValueError: If the options contradict each other.
    """

    def __init__(
        self,
        num_identities: int,
        backbone: VisionTransformer,
        part_names: Sequence[str],
        frames: int,
        tokens: Tokens,
        shuffle: bool,
        shift: int,
        groups: int,
        global_branch: bool,
        local_branch: bool,
        temporal_attention: bool,
        pretrained_local: bool,
        neck: Neck,
        join: Join,
        shortcuts: bool,
    ) -> None:
        super().__init__()
        check_tokens(tokens)
        if not global_branch and not local_branch:
            raise ValueError(
                "Without global_branch and local_branch nothing describes a clip: keep one of them."
            )
        if neck not in ("after", "before"):
            raise ValueError(f"Unknown neck {neck!r}: descriptors are taken after or before it.")
        if join not in ("divided", "unit"):
            raise ValueError(f"Unknown join {join!r}: the vectors of a descriptor are divided or unit.")
        self.tokens: Tokens = tokens
        self.join: Join = join
        self.neck, self.shortcuts = neck, shortcuts
        self.clip_frames = frames if local_branch and tokens != "frames" else None
        self.part_names = tuple(part_names) if local_branch else ()
        self.backbone = backbone
        self.local_width = backbone.width * (1 if tokens == "frames" else frames)
        last = backbone.take_last_block()
        self.local_block = None
        if local_branch:
            self.local_block = copy.deepcopy(last) if pretrained_local else self._new_block()
            if pretrained_local and self.local_width != backbone.width:
                raise ValueError(
                    f"The local block is {self.local_width} wide and cannot start from the trunk's last one "
                    f"of {backbone.width}: set pretrained_local=false, or tokens=frames."
                )
        self.global_block = last if global_branch else None
        self.attention = TemporalAttention(backbone.width) if global_branch and temporal_attention else None
        sizes = self._sizes()
        self.embedding_sizes = {
            "global": sizes.get(GLOBAL, 0),
            "part": self.local_width if self.part_names else 0,
        }
        self.necks = nn.ModuleDict({name: bn_neck(size) for name, size in sizes.items()})
        self.head: NeckClassifier | None = NeckClassifier(sizes, num_identities)
        patches = backbone.patches.patches
        order = shift_shuffle_order(patches, shift, groups) if shuffle and local_branch else None
        self.register_buffer("order", order, persistent=False)

    order: Tensor | None

    @property
    def descriptor_size(self) -> int:
        """``D`` of ``describe``."""
        return sum(self._sizes().values())

    def forward(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> TrainingOutputs:
        """Return logits and vectors by the names of the heads, ``global`` and the parts.

        Args:
            images: ``(B, T, 3, H, W)``, normalised.
            keypoints: ``(B, T, K, 3)`` in pixels of ``(H, W)``; read by KeyRe-ID only.
            cameras: Camera numbers, ``(B,)`` or, one a frame, ``(B, T)``.

        Raises:
            ValueError: If the clips have another length than the network was built for, or keypoints are
                missing.
            RuntimeError: If the network was exported without classifiers.
        """
        if self.head is None:
            raise RuntimeError(
                "This network was exported for description only and has no classifiers to train."
            )
        vectors, scores = self.vectors(images, keypoints, cameras)
        logits = self.head(self._through_necks(vectors))
        return TrainingOutputs(logits, vectors, scores, self.shown(keypoints))

    def describe(
        self, images: Tensor, keypoints: Tensor | None = None, cameras: Tensor | None = None
    ) -> Tensor:
        """Return the descriptors ``(B, D)``: the global vector and the parts', joined as ``join`` says.

        Parts that do not show are zero. Arguments and errors as in ``forward``.
        """
        vectors, _ = self.vectors(images, keypoints, cameras)
        if self.neck == "after":
            vectors = self._through_necks(vectors)
        shown = self.shown(keypoints)
        pieces = []
        for name, vector in vectors.items():
            if self.join == "unit":
                piece = F.normalize(vector, dim=1)
            else:
                piece = vector if name == GLOBAL else vector / len(self.part_names)
            pieces.append(piece * shown[name].unsqueeze(1).to(piece.dtype) if name in shown else piece)
        return torch.cat(pieces, dim=1)

    def vectors(
        self, images: Tensor, keypoints: Tensor | None, cameras: Tensor | None
    ) -> tuple[dict[str, Tensor], Tensor | None]:
        """Return the vector of every head before its neck, and the scores of temporal attention ``(B, T)``.

        Arguments as in ``forward``.
        """
        frames = self.frame_tokens(images, cameras)
        vectors: dict[str, Tensor] = {}
        scores = None
        if self.global_block is not None:
            vectors[GLOBAL], scores = self.global_vector(frames)
        if self.local_block is not None:
            clip = clip_tokens(frames, self.tokens, self.order)
            parts = self.local_block[1](self.read_parts(clip, keypoints))
            vectors |= dict(zip(self.part_names, parts.unbind(1), strict=True))
        return vectors, scores

    def frame_tokens(self, images: Tensor, cameras: Tensor | None) -> Tensor:
        """Return the trunk's tokens of every frame, ``(B, T, N + 1, D)``; arguments as in ``forward``."""
        batch, count = images.shape[:2]
        if self.clip_frames not in (None, count):
            raise ValueError(
                f"The network was built for clips of {self.clip_frames} frames and got {count}: set "
                "data.clip_length and data.test_clip_length to the same number."
            )
        if cameras is not None:
            cameras = cameras.unsqueeze(1).expand(-1, count) if cameras.dim() == 1 else cameras
            cameras = cameras.reshape(-1)
        return self.backbone(images.flatten(0, 1), cameras).unflatten(0, (batch, count))

    def global_vector(self, frames: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the global vector ``(B, D)`` of ``frame_tokens``, and the scores of its frames ``(B,
        T)``."""
        assert self.global_block is not None
        block, norm = self.global_block
        tokens = frames.flatten(0, 1)
        row = cls_row(cast(Block, block), tokens) if self.shortcuts else block(tokens)[:, 0]
        cls = norm(row).unflatten(0, frames.shape[:2])
        return self.attention(cls) if self.attention is not None else (cls.mean(1), None)

    @abstractmethod
    def read_parts(self, clip: ClipTokens, keypoints: Tensor | None) -> Tensor:
        """Return what the local block reads for each part, before its norm, ``(B, P, W)``."""

    def shown(self, keypoints: Tensor | None) -> Mapping[str, Tensor]:
        """Return by name in which clips a part shows, ``(B,)`` bool; parts that are not named show in all."""
        return {}

    def exported(self) -> "TwoBranchTransformer":
        """Return a copy for description alone, in evaluation mode, without classifiers."""
        head, self.head = self.head, None
        try:
            return copy.deepcopy(self).eval()
        finally:
            self.head = head

    def training_only(self) -> list[str]:
        """Return the children that only training needs: the classifiers."""
        return ["head"]

    def _through_necks(self, vectors: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: self.necks[name](vector) for name, vector in vectors.items()}

    def _sizes(self) -> dict[str, int]:
        own = {} if self.global_block is None else {GLOBAL: self.backbone.width}
        return own | dict.fromkeys(self.part_names, self.local_width)

    def _new_block(self) -> nn.Sequential:
        # As released: torch's own start, norms with two different eps.
        norm = cast(Any, partial(nn.LayerNorm, eps=1e-6))
        block = Block(self.local_width, self.backbone.heads, qkv_bias=True, norm_layer=norm)
        return nn.Sequential(block, nn.LayerNorm(self.local_width))
