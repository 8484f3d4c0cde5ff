"""KMPNet: keypoint message passing for video person re-identification (Chen et al., AAAI 2022)."""

from vidreid.models.kmpnet.graph_branch import GraphBranch
from vidreid.models.kmpnet.network import KMPNet
from vidreid.models.visual_network import export_visual

__all__ = ["GraphBranch", "KMPNet", "export_visual"]
