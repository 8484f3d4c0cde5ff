"""The painter: capsules and flat things into a depth buffer."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from vidreid.synthetic.capsules import Capsules
from vidreid.synthetic.clothes import COLUMNS, ROWS, Textures
from vidreid.synthetic.scene import Scene

Floats = NDArray[np.float64]


@dataclass
class Canvas:
    """A picture being painted.

    Attributes:
        pixels: ``(H, W, 3)`` float32 BGR.
        depth: ``(H, W)`` float32 distance in m of what is painted; infinite for the background.
        owner: ``(H, W)`` uint8: 0 background, 1 the target, 2 another person, 3 an occluder.
    """

    pixels: NDArray[np.float32]
    depth: NDArray[np.float32] = field(init=False)
    owner: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        """Start with an empty scene."""
        self.depth = np.full(self.pixels.shape[:2], np.inf, np.float32)
        self.owner = np.zeros(self.pixels.shape[:2], np.uint8)


def view_background(
    scene: Scene, origin: Floats, scale: float, rows: int, columns: int
) -> NDArray[np.float32]:
    """Cut the background of a box out of the camera's frame.

    Args:
        scene: Whose background.
        origin: x, y of the box's corner in the camera's frame.
        scale: Canvas pixels per pixel of the camera's frame.
        rows: Height of the canvas.
        columns: Width of the canvas.

    Returns:
        ``(rows, columns, 3)`` float32 BGR.
    """
    matrix = np.array(
        [[1 / scale, 0, origin[0] - 0.5 + 0.5 / scale], [0, 1 / scale, origin[1] - 0.5 + 0.5 / scale]]
    )
    return cv2.warpAffine(
        scene.background,
        matrix,
        (columns, rows),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    ).astype(np.float32)


def paint_occluder(canvas: Canvas, box: Floats, depth: float, texture: NDArray[np.float32]) -> None:
    """Paint a flat thing over what is farther away.

    Args:
        canvas: Where to paint.
        box: Left, top, right, bottom in pixels of the canvas.
        depth: Its distance in m.
        texture: ``(h, w, 4)`` BGR and opacity.
    """
    height, width = canvas.depth.shape
    left, top, right, bottom = box
    x0, x1 = max(int(np.ceil(left)), 0), min(int(np.floor(right)), width)
    y0, y1 = max(int(np.ceil(top)), 0), min(int(np.floor(bottom)), height)
    if x0 >= x1 or y0 >= y1:
        return
    columns = ((np.arange(x0, x1) + 0.5 - left) / (right - left) * texture.shape[1]).astype(int)
    rows = ((np.arange(y0, y1) + 0.5 - top) / (bottom - top) * texture.shape[0]).astype(int)
    columns, rows = columns.clip(0, texture.shape[1] - 1), rows.clip(0, texture.shape[0] - 1)
    patch = texture[rows[:, None], columns[None, :]]
    window = (slice(y0, y1), slice(x0, x1))
    cover = (canvas.depth[window] > depth) & (patch[..., 3] > 0.5)
    canvas.pixels[window][cover] = patch[..., :3][cover]
    canvas.depth[window][cover] = depth
    canvas.owner[window][cover] = 3


def paint_walker(
    canvas: Canvas,
    capsules: Capsules,
    frame: int,
    textures: Textures,
    origin: Floats,
    scale: Floats,
    light: tuple[float, float, float],
    owner: int,
) -> None:
    """Paint a walker into a canvas.

    Args:
        canvas: Where to paint.
        capsules: The projected walker.
        frame: Which of its frames.
        textures: By part name.
        origin: x, y of the canvas's corner in the camera's frame.
        scale: Canvas pixels per pixel of the camera's frame (the same in x and y).
        light: Direction of the light: right, up, towards the camera.
        owner: Written to ``canvas.owner``.
    """
    ends = (capsules.ends[frame] - origin) * scale
    radii = capsules.radius[frame] * scale
    for number, part in enumerate(capsules.parts):
        _paint_part(
            canvas,
            ends[number],
            radii[number],
            capsules.depth[frame, number],
            float(capsules.bulge[frame, number]),
            (part[7], part[8]),
            textures[part[0]],
            (float(capsules.azimuth[frame, number]), float(capsules.turn[frame, number])),
            capsules.normal[frame, number],
            light,
            owner,
        )


def _paint_part(
    canvas: Canvas,
    ends: Floats,
    radii: Floats,
    depths: Floats,
    bulge: float,
    caps: tuple[float, float],
    texture: NDArray[np.float32],
    angle: tuple[float, float],
    normal: Floats,
    light: tuple[float, float, float],
    owner: int,
) -> None:
    height, width = canvas.depth.shape
    reach = float(radii.max())
    x0, y0 = np.floor(ends.min(0) - reach).astype(int)
    x1, y1 = np.ceil(ends.max(0) + reach).astype(int)
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if x0 >= x1 or y0 >= y1:
        return
    (px, py), (qx, qy) = ends.tolist()
    length = max(float(np.hypot(qx - px, qy - py)), 1e-3)
    ux, uy = (qx - px) / length, (qy - py) / length
    nx, ny = normal.tolist()
    dx = np.arange(x0 + 0.5 - px, x1 - px, dtype=np.float32)[None, :]
    dy = np.arange(y0 + 0.5 - py, y1 - py, dtype=np.float32)[:, None]
    along = dx * np.float32(ux / length) + dy * np.float32(uy / length)
    t = np.clip(along, 0, 1)
    r0, r1 = float(radii[0]), float(radii[1])
    s = (dx * np.float32(nx) + dy * np.float32(ny)) / (np.float32(r0) + np.float32(r1 - r0) * t)
    over = along - t
    over *= np.where(over < 0, np.float32(length / (caps[0] * r0)), np.float32(length / (caps[1] * r1)))
    squared = s * s + over * over
    rows, columns = np.nonzero(squared < 1)
    if len(rows) == 0:
        return
    s, t, up = s[rows, columns], t[rows, columns], over[rows, columns]
    towards = np.sqrt(1 - squared[rows, columns])
    z = np.float32(depths[0]) + np.float32(depths[1] - depths[0]) * t - np.float32(bulge) * towards
    rows, columns = rows + y0, columns + x0
    nearer = z < canvas.depth[rows, columns]
    rows, columns, z = rows[nearer], columns[nearer], z[nearer]
    s, t, up, towards = s[nearer], t[nearer], up[nearer], towards[nearer]
    azimuth = angle[0] + angle[1] * np.arccos(np.clip(s, -1, 1))
    texel = np.floor(azimuth * (COLUMNS / (2 * np.pi))).astype(np.int64) % COLUMNS
    texel += (t * (ROWS - 0.01)).astype(np.int64) * COLUMNS
    # The surface normal: s along the image normal, ``up`` along the axis, the rest towards the camera.
    lx, ly, lz = light
    lateral, axial = nx * lx - ny * ly, ux * lx - uy * ly
    lambert = np.float32(lateral) * s + np.float32(axial) * up + np.float32(lz) * towards
    shade = 0.55 + 0.55 * np.maximum(lambert, 0)
    canvas.pixels[rows, columns] = texture.reshape(-1, 3)[texel] * shade[:, None].astype(np.float32)
    canvas.depth[rows, columns] = z
    canvas.owner[rows, columns] = owner
