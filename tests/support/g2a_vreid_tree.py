"""A tiny tree of G2A-VReID: the format of MARS, everybody once from the ground and once from the air."""

from pathlib import Path

from support.mars_tree import make_mars_tree

TRAIN = [(pid, camera, 2 + (pid + camera) % 3) for pid in (1, 3, 4, 8) for camera in (1, 2)]
TEST = [(pid, camera, 2 + (pid * camera) % 4) for pid in (2, 5, 9) for camera in (1, 2)]
QUERY = [2, 4, 6]
"""1-based rows of ``TEST``: those from the air."""


def make_g2a_vreid_tree(root: Path) -> Path:
    """Write the tree with keypoints and return ``root``."""
    return make_mars_tree(root, train=TRAIN, test=TEST, query=QUERY)
