"""VID-Trans-ReID (Alsehaim and Breckon, BMVC 2022) and its image-based parent TransReID (He et al., ICCV
2021)."""

from vidreid.models.vid_trans_reid.network import TransReID, VidTransReID

__all__ = ["TransReID", "VidTransReID"]
