"""MGH: multi-granular graphs for video person re-identification (Yan et al., CVPR 2020), as released."""

from vidreid.models.mgh.backbone import NonLocalResNet
from vidreid.models.mgh.branch import MGH

__all__ = ["MGH", "NonLocalResNet"]
