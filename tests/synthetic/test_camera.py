from dataclasses import replace

import numpy as np
import pytest

from vidreid.synthetic.camera import Camera, Light, develop, draw_light, make_cameras


@pytest.fixture
def level() -> Camera:
    """A camera that looks straight ahead from 2 m with 500 pixels of focal length and no noise."""
    first = make_cameras(np.random.default_rng(0), strength=0.0)[0]
    return replace(
        first, height=2.0, pitch=0.0, focal=500.0, gain=1.0, gamma=1.0, vignetting=0.0, noise=0.0,
        matrix=np.eye(3, dtype=np.float32),
    )  # fmt: skip


def test_projection_by_hand(level: Camera) -> None:
    image, depth = level.project(np.array([[1.0, 10.0, 2.0], [-2.0, 5.0, 0.0]]))
    np.testing.assert_allclose(image, [[480 + 50, 270], [480 - 200, 270 + 200]])
    np.testing.assert_allclose(depth, [10, 5])


def test_tilt_by_hand(level: Camera) -> None:
    # Tilted by 45 degrees from 2 m, the axis meets the ground at y = 2, at a distance of sqrt(8).
    image, depth = replace(level, pitch=np.pi / 4).project(np.array([[0.0, 2.0, 0.0]]))
    np.testing.assert_allclose(image, [[480, 270]])
    np.testing.assert_allclose(depth, [np.sqrt(8)])


def test_people_shrink_with_distance(level: Camera) -> None:
    heights = []
    for y in (6.0, 12.0):
        image, _ = level.project(np.array([[0, y, 0.0], [0, y, 1.8]]))
        heights.append(image[0, 1] - image[1, 1])
    assert heights[0] == pytest.approx(2 * heights[1])


def test_development_by_hand(level: Camera) -> None:
    light = Light(1.0, (1.0, 1.0, 1.0), (0, 0, 1), 0.0)
    rng = np.random.default_rng(0)
    pixels = np.full((4, 4, 3), 100, np.float32)
    centre = np.array([480.0, 270.0])
    assert (develop(pixels, level, light, 0.5, centre, rng) == 100).all()
    brighter = develop(pixels, replace(level, gain=1.5), light, 0.5, centre, rng)
    assert (brighter == 150).all()
    curved = develop(pixels, replace(level, gamma=2.0), light, 0.5, centre, rng)
    assert (curved == round(255 * (100 / 255) ** 2)).all()
    balanced = develop(
        pixels, replace(level, matrix=np.diag([2.0, 1.0, 0.5]).astype(np.float32)), light, 0.5, centre, rng
    )
    assert balanced[0, 0].tolist() == [200, 100, 50]
    corner = develop(pixels, replace(level, vignetting=0.4), light, 0.5, np.array([0.0, 0.0]), rng)
    assert (corner == 60).all()


def test_cameras_differ_in_colour_and_direction() -> None:
    cameras = make_cameras(np.random.default_rng(0))
    assert [camera.number for camera in cameras] == [1, 2, 3, 4, 5, 6]
    grey = np.full((2, 2, 3), 120, np.float32)
    light = draw_light(np.random.default_rng(1))
    shades = [
        develop(grey, replace(c, noise=0.0), light, 0.5, np.array([480.0, 270.0]), np.random.default_rng(0))[
            0, 0
        ]
        for c in cameras
    ]
    gaps = [np.abs(a.astype(int) - b).max() for i, a in enumerate(shades) for b in shades[:i]]
    assert min(gaps) >= 5
    assert len({camera.headings for camera in cameras}) == 6
