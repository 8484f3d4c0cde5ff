"""What is seen of a walker: joints with their visibility, and the share of the body in the box."""

import numpy as np
from numpy.typing import NDArray

from vidreid.synthetic.camera import FRAME_HEIGHT, FRAME_WIDTH
from vidreid.synthetic.observation import ABSENT, SELF_HIDDEN, VISIBLE
from vidreid.synthetic.painter import Canvas
from vidreid.synthetic.walks import Walker

Floats = NDArray[np.float64]


def share_inside(points: Floats, box: Floats) -> float:
    """Return the share of the body's points that lie in the box and in the camera's frame."""
    low, high = box[:2], box[:2] + box[2:]
    inside = ((points >= low) & (points <= high)).all(-1)
    inside &= (points[:, 0] >= 0) & (points[:, 0] <= FRAME_WIDTH)
    inside &= (points[:, 1] >= 0) & (points[:, 1] <= FRAME_HEIGHT)
    return float(inside.mean())


def seen_joints(
    canvas: Canvas, walker: Walker, frame: int, origin: Floats, scale: float, size: Floats, owner: int
) -> Floats:
    """Return ``(17, 3)`` joints in pixels of the crop with their visibility."""
    points = walker.points[frame, :17]
    depth = walker.depth[frame, :17]
    place = np.floor((points - origin) * scale).astype(int)
    height, width = canvas.depth.shape
    inside = (place >= 0).all(-1) & (place[:, 0] < width) & (place[:, 1] < height)
    column, row = place[:, 0].clip(0, width - 1), place[:, 1].clip(0, height - 1)
    front = depth - canvas.depth[row, column]
    # A joint lies inside its limb: it is seen if nothing is much nearer than the limb's own surface.
    tolerance = np.array(
        [0.10] * 5 + [0.16, 0.16, 0.11, 0.11, 0.10, 0.10, 0.20, 0.20, 0.13, 0.13, 0.11, 0.11]
    )
    mine = inside & (canvas.owner[row, column] == owner)
    confidence = np.where(mine, np.where(front < tolerance, VISIBLE, SELF_HIDDEN), ABSENT)
    return np.concatenate([(points - origin) * size, confidence[:, None]], 1)
