"""The defect of a released evaluation, kept so that published numbers can be traced to it."""

from typing import Literal

import torch
from torch import Tensor

Cameras = Literal["tracklets", "legacy_frames"]
"""Whose cameras say what is ignored: each tracklet's own, or the mixed-up ones of the defect."""


def legacy_frame_cameras(cameras: Tensor, clips: Tensor, frames: int) -> Tensor:
    """Return the cameras that the released VID-Trans-ReID and KeyRe-ID evaluate with: wrong ones.

    Their feature loop keeps one identity a tracklet but one camera a *frame*, because the network reads them
    so: the camera list holds each tracklet's camera once for every frame of its clips, one tracklet after the
    other. The evaluation then reads that list at the number of the *tracklet*. Tracklet ``i`` so gets the
    camera of frame ``i``, which belongs to one of the first tracklets: on MARS all 9,330 gallery tracklets
    get the camera of the first 313, distractors seen by camera 1.

    What is to be ignored, the query's identity in the query's own camera, then hardly ever is. Either all
    right answers of a query are ignored and the query is dropped without a word, or none is, and tracklets
    of the same person in the same camera count as right answers, which are easy ones.

    Where all queries are of one camera and the gallery of another (iLIDS-VID, PRID2011) nothing changes.

    Args:
        cameras: ``(n,)`` int64, the true cameras in the order of the table; of the queries or of the gallery.
        clips: ``(n,)`` int64, clips of each tracklet.
        frames: Frames of a clip.

    Returns:
        ``(n,)`` int64.
    """
    stops = clips.cumsum(0) * frames
    owners = torch.searchsorted(stops, torch.arange(len(cameras), device=cameras.device), right=True)
    return cameras[owners]
