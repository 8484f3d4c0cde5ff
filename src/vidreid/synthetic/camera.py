"""The surveillance camera: tilted perspective, colour response, noise and compression."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FRAME_WIDTH, FRAME_HEIGHT = 960, 540
FRAME_SECONDS = 0.1
"""Time between two frames of a tracklet."""


@dataclass(frozen=True)
class Camera:
    """Where a camera hangs, which way people walk there and how it renders colour.

    The camera stands at (0, 0, height) and looks along +y, tilted down.

    Attributes:
        number: 1..6.
        height: In m.
        pitch: Downward tilt in rad.
        focal: In pixels.
        near: Nearest walking distance in m.
        far: Farthest walking distance in m.
        headings: Main walking directions in rad: -pi/2 is towards the camera, pi/2 away from it, 0 is to the
            right.
        spread: Standard deviation of the walking direction in rad.
        matrix: ``(3, 3)`` white balance and saturation (BGR).
        gain: Exposure.
        gamma: Exponent of the tone curve.
        vignetting: Loss of light in the corners, 0..1.
        noise: Standard deviation of the sensor noise in grey values.
        quality: JPEG quality.
        blur: Sharpness of the lens as a Gaussian sigma in output pixels at 128 rows.
        place: ``(3,)`` colour (BGR) of the place that it looks at: all of its backgrounds lean to it.
    """

    number: int
    height: float
    pitch: float
    focal: float
    near: float
    far: float
    headings: tuple[float, ...]
    spread: float
    matrix: NDArray[np.float32]
    gain: float
    gamma: float
    vignetting: float
    noise: float
    quality: int
    blur: float
    place: NDArray[np.float32]

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Project world points.

        Args:
            points: ``(..., 3)`` in m.

        Returns:
            ``(..., 2)`` x, y in pixels of the camera's frame and ``(...)`` depth along the optical axis in m.
        """
        sin, cos = np.sin(self.pitch), np.cos(self.pitch)
        x, y, z = points[..., 0], points[..., 1], points[..., 2] - self.height
        depth = np.maximum(y * cos - z * sin, 0.3)
        down = -y * sin - z * cos
        image = np.stack(
            [FRAME_WIDTH / 2 + self.focal * x / depth, FRAME_HEIGHT / 2 + self.focal * down / depth], -1
        )
        return image, depth

    @property
    def position(self) -> Floats:
        """The centre of projection in the world."""
        return np.array([0.0, 0.0, self.height])


# Main walking directions of the six cameras: towards, across, away, slanting towards and away, both ways.
_HEADINGS = (
    (-np.pi / 2,),
    (0.15, np.pi - 0.15),
    (np.pi / 2,),
    (-np.pi / 4, -0.8 * np.pi),
    (np.pi / 4, 0.7 * np.pi),
    (-np.pi / 2, np.pi / 2),
)
# Gain, gamma, saturation and white balance (blue and red against green) of the six cameras before jitter.
_RESPONSE = (
    (1.05, 1.00, 1.00, 1.00, 1.02),
    (0.72, 0.95, 0.80, 1.22, 0.88),
    (1.30, 0.95, 0.95, 0.82, 1.16),
    (0.85, 1.35, 1.15, 1.02, 0.94),
    (1.15, 0.72, 0.62, 1.14, 1.00),
    (0.92, 1.15, 1.05, 0.88, 1.14),
)  # fmt: skip


def make_cameras(rng: Generator, strength: float = 0.42) -> list[Camera]:
    """Hang up six cameras.

    Args:
        rng: Source of randomness of their geometry and of the jitter on the response.
        strength: 0 gives all of them a neutral response, 1 the calibrated one.
    """
    cameras = []
    # Dark and light places, so that the mean colour of a crop gives the camera away.
    places = rng.permutation(np.linspace(50, 225, len(_HEADINGS)))
    for number, (headings, response) in enumerate(zip(_HEADINGS, _RESPONSE, strict=True), start=1):
        neutral = np.ones(5)
        gain, gamma, saturation, blue, red = (
            neutral + strength * (np.array(response) - neutral) + rng.normal(0, 0.02, 5)
        )
        height = float(rng.uniform(2.4, 5.0))
        near = float(rng.uniform(5.0, 6.5))
        far = near + float(rng.uniform(6.0, 9.0))
        middle = (near + far) / 2
        luma = np.array([0.114, 0.587, 0.299], np.float32)
        desaturate = saturation * np.eye(3) + (1 - saturation) * np.tile(luma, (3, 1))
        balance = np.diag([blue, 1.0, red])
        cameras.append(
            Camera(
                number=number,
                height=height,
                pitch=float(np.arctan2(height - 0.9, middle)),
                focal=float(rng.uniform(560, 760)),
                near=near,
                far=far,
                headings=headings,
                spread=0.25,
                matrix=(balance @ desaturate).astype(np.float32),
                gain=float(gain),
                gamma=float(gamma),
                vignetting=float(rng.uniform(0.1, 0.4)),
                noise=float(rng.uniform(2.0, 6.0)),
                quality=int(rng.integers(70, 93)),
                blur=float(rng.uniform(0.35, 0.8)),
                place=(places[number - 1] * (1 + rng.uniform(-0.35, 0.35, 3))).astype(np.float32),
            )
        )
    return cameras


@dataclass(frozen=True)
class Light:
    """The light of one tracklet: level, colour (BGR factors), direction (right, up, to the camera), drift."""

    level: float
    colour: tuple[float, float, float]
    direction: tuple[float, float, float]
    drift: float


def draw_light(rng: Generator) -> Light:
    """Draw the hour of the day."""
    warm = rng.normal(0, 0.03)
    direction = np.array([rng.normal(0, 0.7), 0.8, 0.6])
    direction /= np.linalg.norm(direction)
    return Light(
        level=float(np.clip(rng.normal(1.0, 0.07), 0.8, 1.2)),
        colour=(1 - float(warm), 1.0, 1 + float(warm)),
        direction=(float(direction[0]), float(direction[1]), float(direction[2])),
        drift=float(rng.normal(0, 0.03)),
    )


def develop(
    pixels: NDArray[np.float32], camera: Camera, light: Light, moment: float, centre: Floats, rng: Generator
) -> NDArray[np.uint8]:
    """Turn light into the camera's picture.

    Args:
        pixels: ``(H, W, 3)`` BGR in 0..255 under white light.
        camera: Its response.
        light: The hour.
        moment: Position in the tracklet, 0..1: the light drifts a little.
        centre: x, y of the crop in the camera's frame, for the vignetting.
        rng: Sensor noise.

    Returns:
        ``(H, W, 3)`` uint8.
    """
    offset = (centre - (FRAME_WIDTH / 2, FRAME_HEIGHT / 2)) / (FRAME_WIDTH / 2, FRAME_HEIGHT / 2)
    falloff = 1 - camera.vignetting * min(float((offset**2).sum()), 2.0) / 2
    level = camera.gain * light.level * (1 + light.drift * (2 * moment - 1)) * falloff
    matrix = camera.matrix @ np.diag(np.array(light.colour, np.float32)) * np.float32(level / 255)
    picture = cv2.transform(pixels, matrix)
    np.clip(picture, 0, 1, out=picture)
    picture = cv2.pow(picture, camera.gamma) * 255
    picture += rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(camera.noise)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
