"""The batch that travels from the loaders to the networks."""

from typing import NamedTuple

from torch import Tensor


class ClipBatch(NamedTuple):
    """``B`` clips of ``T`` frames.

    Pixels stay ``uint8`` until they are on the device, where the LightningModule normalises them: a quarter
    of the bytes to move, and no float work in the loader.

    Attributes:
        images: ``(B, T, 3, H, W)`` uint8, RGB.
        keypoints: ``(B, T, K, 3)`` float32, x and y in pixels of the ``(H, W)`` images and confidence in
            [0, 1], 0 for a missing joint; ``None`` where the data carry no keypoints.
        pids: ``(B,)`` int64; labels 0..C-1 in training, true identities in evaluation.
        cameras: ``(B,)`` int64.
        tracklets: ``(B,)`` int64, ``tracklet`` of the tracklet table.
        clips: ``(B,)`` int64, position in the flat list of evaluation clips; -1 in training.
        roles: ``(B,)`` int64, sum of 1 (query) and 2 (gallery); 0 in training.
        erased: ``(B, T)`` bool, frames in which a rectangle was erased, in training; ``None`` in evaluation.
        outfits: ``(B,)`` int64, which of the identity's outfits is worn; zeros where the data do not say, and
            ``None`` in a batch that was not made by ``collate_clips``.
    """

    images: Tensor
    keypoints: Tensor | None
    pids: Tensor
    cameras: Tensor
    tracklets: Tensor
    clips: Tensor
    roles: Tensor
    erased: Tensor | None = None
    outfits: Tensor | None = None
