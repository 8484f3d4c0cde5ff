"""KeyRe-ID: body parts guided by keypoints."""

from collections.abc import Mapping
from typing import cast

import torch
from timm.models.vision_transformer import Block
from torch import Tensor

from vidreid.keypoints.skeleton import SKELETONS
from vidreid.models.backbones.vision_transformer import VisionTransformer
from vidreid.models.key_reid.guidance import Guidance, Maps, PartGuidance
from vidreid.models.layers.clip_tokens import ClipTokens, Tokens
from vidreid.models.layers.token_block import FLOOR, Weighing, part_rows
from vidreid.models.two_branch_transformer import GLOBAL, Join, Neck, TwoBranchTransformer


class KeyReID(TwoBranchTransformer):
    """KeyRe-ID: the local block reads the rows of a clip once for each body part, weighed by where the part
    is.

    Under ``part_guidance=fixed`` parts without a visible joint are told (``visible_segments``) and left out
    of the distance; under the other two every part counts, as published.

    Args:
        num_identities: Number of training identities.
        backbone: The trunk.
        joints: Name of the skeleton of the keypoints; its parts are the heads.
        frames: ``T`` of a clip.
        tokens: ``frames``, ``aligned`` as the paper says, ``released`` as its code does: see ``clip_tokens``.
        part_guidance: ``released``, ``paper`` or ``fixed``: see ``PartGuidance``.
        maps: ``gaussian``, ``drawn`` or ``empty``; by default what belongs to the guidance.
        spread: Width of a joint's Gaussian over the release's.
        weighing: Where the weights enter under ``fixed``: ``keys`` or ``values``.
        min_score: Joints with a confidence up to this count as missing.
        shuffle: Shift and shuffle the rows. Since every part reads all rows, and attention does not mind
            their order, this changes nothing but which weight meets which row under ``released``.
        shift: Rows to shift by.
        groups: Runs that are dealt out.
        global_branch: Build the global branch.
        local_branch: Build the branch of parts.
        neck: Descriptors ``after`` (as released) or ``before`` the BN-necks.
        join: Parts ``divided`` by their number (as released), or all vectors of ``unit`` length; by default
            ``unit`` under ``fixed`` alone.
        shortcuts: Compute only what is read.
    """

    def __init__(
        self,
        num_identities: int,
        backbone: VisionTransformer,
        joints: str = "coco17",
        frames: int = 4,
        tokens: Tokens = "frames",
        part_guidance: Guidance = "fixed",
        maps: Maps | None = None,
        spread: float = 1.0,
        weighing: Weighing = "keys",
        min_score: float = 0.1,
        shuffle: bool = True,
        shift: int = 5,
        groups: int = 2,
        global_branch: bool = True,
        local_branch: bool = True,
        neck: Neck = "after",
        join: Join | None = None,
        shortcuts: bool = True,
    ) -> None:
        if joints not in SKELETONS:
            raise ValueError(f"Unknown skeleton {joints!r}: choose one of {', '.join(SKELETONS)}.")
        super().__init__(
            num_identities,
            backbone,
            tuple(SKELETONS[joints].parts),
            frames,
            tokens,
            shuffle,
            shift,
            groups,
            global_branch,
            local_branch,
            temporal_attention=True,
            pretrained_local=tokens == "frames",
            neck=neck,
            join=join or ("unit" if part_guidance == "fixed" else "divided"),
            shortcuts=shortcuts,
        )
        self.describes_with_keypoints = local_branch
        self.guidance = PartGuidance(
            part_guidance, joints, backbone.patches, tokens, self.order, maps, spread, weighing, min_score
        )
        if part_guidance == "fixed" and local_branch:
            self.segments = tuple(self._sizes().values())
            self.segment_weights = self._expected_shares()

    def read_parts(self, clip: ClipTokens, keypoints: Tensor | None) -> Tensor:
        """Return the token after reading the rows for each part, ``(B, P, W)``."""
        assert self.local_block is not None
        block = cast(Block, self.local_block[0])
        weights = self.guidance(_required(keypoints)).to(clip.rows.dtype)
        if self.shortcuts:
            return part_rows(block, clip.token, clip.rows, weights, self.guidance.weighing)
        return torch.stack(
            [self._read_slowly(block, clip, weights[:, p]) for p in range(weights.shape[1])], dim=1
        )

    def shown(self, keypoints: Tensor | None) -> Mapping[str, Tensor]:
        """Return in which clips each part shows, ``(B,)`` bool by name; nothing unless the guidance is
        ``fixed``."""
        if self.segments is None:
            return {}
        return dict(zip(self.part_names, self.guidance.visible(_required(keypoints)).unbind(1), strict=True))

    def visible_segments(self, keypoints: Tensor | None) -> Tensor | None:
        """Return which segments of the descriptor show, ``(B, S)`` bool: the global one always."""
        if self.segments is None:
            return None
        visible = self.guidance.visible(_required(keypoints))
        return torch.cat(
            [visible.new_ones(len(visible), len(self.segments) - visible.shape[1]), visible], dim=1
        )

    def _expected_shares(self) -> tuple[float, ...]:
        """Return what each segment adds to a squared distance on average, where all show."""
        if self.join == "unit":
            return (1.0,) * len(self._sizes())
        # Behind a neck every number has unit variance; parts are divided by their number.
        count = len(self.part_names)
        return tuple(size if name == GLOBAL else size / count**2 for name, size in self._sizes().items())

    def _read_slowly(self, block: Block, clip: ClipTokens, weights: Tensor) -> Tensor:
        """Return row 0 of the whole block for one part, with weights ``(B, R)``."""
        token = clip.token.unsqueeze(1)
        if self.guidance.weighing == "tokens":
            return block(torch.cat([token, clip.rows * weights.unsqueeze(2)], dim=1))[:, 0]
        if self.guidance.weighing == "values":
            raise ValueError("weighing=values has no slow form: set shortcuts=true.")
        whole = torch.cat([token, clip.rows], dim=1)
        bias = torch.log(weights + FLOOR)
        bias = torch.cat([torch.zeros_like(bias[:, :1]), bias], dim=1)[:, None, None, :]
        return block(whole, attn_mask=bias.expand(-1, -1, whole.shape[1], -1))[:, 0]


def _required(keypoints: Tensor | None) -> Tensor:
    if keypoints is None:
        raise ValueError(
            "KeyRe-ID reads keypoints and the batch has none: give a keypoint store to the data "
            "(data.keypoints, and data.test_keypoints=true), or use vid_trans_reid, whose parts need none."
        )
    return keypoints
