"""What a camera looks at: ground, wall and the things that stand in the way."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vidreid.synthetic.camera import FRAME_HEIGHT, FRAME_WIDTH, Camera

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Occluder:
    """A flat thing that stands on the ground and faces the camera.

    Attributes:
        kind: post, fence, bench, bush or car.
        x: Centre to the right in m.
        y: Distance in m.
        width: In m.
        bottom: Height of its lower edge in m.
        top: Height of its upper edge in m.
        texture: ``(h, w, 4)`` float32 BGR in 0..255 and opacity in 0..1.
    """

    kind: str
    x: float
    y: float
    width: float
    bottom: float
    top: float
    texture: NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """One background of a camera with its fixed occluders.

    Attributes:
        background: ``(540, 960, 3)`` uint8 BGR.
        occluders: From far to near.
    """

    background: NDArray[np.uint8]
    occluders: tuple[Occluder, ...]


def make_scene(rng: Generator, camera: Camera) -> Scene:
    """Build a scene for a camera."""
    return Scene(_background(rng, camera), _occluders(rng, camera))


def _background(rng: Generator, camera: Camera) -> NDArray[np.uint8]:
    ground, wall = _ground_texture(rng, camera.place), _wall_texture(rng, camera.place)
    u = (np.arange(FRAME_WIDTH) + 0.5 - FRAME_WIDTH / 2) / camera.focal
    v = (np.arange(FRAME_HEIGHT) + 0.5 - FRAME_HEIGHT / 2) / camera.focal
    sin, cos = np.sin(camera.pitch), np.cos(camera.pitch)
    # The ray through a pixel: down sin + cos v, away cos - sin v.
    drop, away = sin + cos * v, cos - sin * v
    distance = camera.far + 8.0
    reach = np.where(drop > 1e-6, camera.height / np.maximum(drop, 1e-6), np.inf)
    y = reach * away
    on_ground = y < distance
    steps = np.where(on_ground, reach, distance / np.maximum(away, 1e-6))
    x = u[None, :] * steps[:, None]
    z = camera.height - drop * steps
    size = ground.shape[0]
    gx = np.mod(x * 40 + 7919, size).astype(np.float32)
    gy = np.broadcast_to(np.mod(np.where(on_ground, y, 0) * 40, size)[:, None], x.shape).astype(np.float32)
    wx = np.mod(x * 40 + 4001, size).astype(np.float32)
    wy = np.broadcast_to(np.mod(-z * 40, size)[:, None], x.shape).astype(np.float32)
    lower = cv2.remap(ground, gx, gy, cv2.INTER_LINEAR)
    upper = cv2.remap(wall, wx, wy, cv2.INTER_LINEAR)
    picture = np.where(on_ground[:, None, None], lower, upper)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.8)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _noise(rng: Generator, size: int, scales: tuple[int, ...]) -> NDArray[np.float32]:
    total = np.zeros((size, size), np.float32)
    for scale in scales:
        coarse = rng.standard_normal((size // scale, size // scale)).astype(np.float32)
        total += cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)
    return total / np.sqrt(len(scales))


def _tint(rng: Generator, low: float, high: float, colourful: float) -> NDArray[np.float32]:
    return (rng.uniform(low, high) * (1 + rng.uniform(-colourful, colourful, 3))).astype(np.float32)


def _ground_texture(rng: Generator, place: NDArray[np.float32], size: int = 512) -> NDArray[np.float32]:
    """Asphalt, paving or grass; 40 pixels a metre."""
    texture = place * _tint(rng, 0.92, 1.08, 0.04) * np.ones((size, size, 1), np.float32)
    kind = rng.integers(3)
    if kind == 0:
        step = int(rng.choice((16, 32, 64)))
        lines = (np.arange(size) % step) < max(step // 16, 1)
        texture[lines] *= 0.75
        texture[:, lines] *= 0.75
        board = (np.arange(size)[:, None] // step + np.arange(size)[None, :] // step) % 2
        texture *= 1 + rng.uniform(0, 0.25) * (board[..., None] - 0.5)
    elif kind == 1:
        texture *= np.array([0.85, 1.0, 0.9], np.float32)
    texture *= 1 + 0.10 * _noise(rng, size, (4, 16, 64))[..., None]
    return texture.astype(np.float32)


def _wall_texture(rng: Generator, place: NDArray[np.float32], size: int = 512) -> NDArray[np.float32]:
    """A front with windows, doors or bricks."""
    texture = place * _tint(rng, 0.75, 1.2, 0.08) * np.ones((size, size, 1), np.float32)
    texture *= 1 + 0.06 * _noise(rng, size, (8, 32, 128))[..., None]
    pitch = int(rng.choice((64, 96, 128)))
    glass = _tint(rng, 40, 220, 0.2)
    for left in range(0, size - pitch // 2, pitch):
        for upper in range(0, size - pitch // 2, pitch):
            w, h = int(pitch * rng.uniform(0.35, 0.6)), int(pitch * rng.uniform(0.4, 0.7))
            texture[upper + 8 : upper + 8 + h, left + 8 : left + 8 + w] = glass * rng.uniform(0.7, 1.2)
    for _ in range(6):
        x, y = rng.integers(0, size - 60, 2)
        texture[y : y + rng.integers(15, 60), x : x + rng.integers(10, 60)] = _tint(rng, 40, 220, 0.5)
    return np.clip(texture, 0, 255).astype(np.float32)


# Kind: width, bottom, top (ranges in m).
_KINDS = {
    "post": ((0.14, 0.30), (0.0, 0.0), (2.6, 3.5)),
    "fence": ((1.4, 2.6), (0.0, 0.1), (0.7, 1.0)),
    "bench": ((1.2, 2.0), (0.0, 0.0), (0.45, 0.85)),
    "bush": ((0.8, 1.8), (0.0, 0.0), (0.7, 1.3)),
    "car": ((2.6, 3.6), (0.15, 0.2), (1.0, 1.3)),
    "sign": ((0.4, 0.7), (0.8, 1.0), (1.5, 1.9)),
}


def _occluders(rng: Generator, camera: Camera) -> tuple[Occluder, ...]:
    """Place things between the camera and the walkers' zone."""
    kinds = ["post", *rng.choice(list(_KINDS), int(rng.integers(3, 5)))]
    things = []
    for kind in kinds:
        width, bottom, top = (float(rng.uniform(*limits)) for limits in _KINDS[str(kind)])
        y = float(rng.uniform(camera.near - 0.7, (camera.near + camera.far) / 2))
        half = 0.8 * y * FRAME_WIDTH / 2 / camera.focal
        x = float(rng.uniform(-half, half))
        things.append(Occluder(str(kind), x, y, width, bottom, top, _occluder_texture(rng, str(kind))))
    return tuple(sorted(things, key=lambda o: -o.y))


def _occluder_texture(rng: Generator, kind: str) -> NDArray[np.float32]:
    h, w = 64, 64
    colour = _tint(rng, 40, 200, 0.4)
    texture = np.ones((h, w, 4), np.float32)
    texture[..., :3] = colour
    rows, columns = np.arange(h)[:, None], np.arange(w)[None, :]
    if kind == "post":
        texture[..., :3] *= 0.55 + 0.5 * np.sin(np.pi * (columns[..., None] + 0.5) / w)
    elif kind == "fence":
        bars = ((columns % 8) < 5) | (rows < 8) | (rows > 54)
        texture[..., 3] = bars
    elif kind == "bench":
        texture[..., 3] = (rows < 36) | (columns < 6) | (columns > 57)
        texture[12:15, :, :3] *= 0.5
    elif kind == "bush":
        cloud = _noise(rng, 64, (4, 8))
        dome = 1 - ((columns - 31.5) / 32) ** 2 - np.clip((24 - rows) / 24, 0, 1) ** 2
        texture[..., 3] = dome + 0.12 * cloud > 0.0
        texture[..., :3] = np.array([50, 110, 60], np.float32) * (
            1 + 0.35 * _noise(rng, 64, (2, 4))[..., None]
        )
    elif kind == "car":
        texture[..., 3] = (rows > 26) | ((columns > 14) & (columns < 50))
        texture[6:24, 18:47, :3] = 60
        texture[52:, :, :3] *= 0.4
    else:
        texture[8:56, 8:56, :3] = 255 - colour
    texture[..., :3] = np.clip(texture[..., :3], 0, 255)
    return texture


def occluder_box(occluder: Occluder, camera: Camera) -> tuple[Floats, float]:
    """Project an occluder.

    Returns:
        left, top, right, bottom in pixels of the camera's frame, and its depth in m.
    """
    corners = np.array(
        [
            [occluder.x - occluder.width / 2, occluder.y, occluder.bottom],
            [occluder.x + occluder.width / 2, occluder.y, occluder.top],
        ]
    )
    image, depth = camera.project(corners)
    return np.array([image[0, 0], image[1, 1], image[1, 0], image[0, 1]]), float(depth.mean())
