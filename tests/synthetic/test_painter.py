import numpy as np
import pytest

from vidreid.synthetic.body import POINTS, build_of, place, pose
from vidreid.synthetic.camera import make_cameras
from vidreid.synthetic.capsules import Capsules, parts_of, project_walker
from vidreid.synthetic.clothes import COLUMNS, ROWS, dress
from vidreid.synthetic.identity import draw_identity
from vidreid.synthetic.painter import Canvas, paint_walker
from vidreid.synthetic.wardrobe import make_wardrobe


def slow_painter(capsules: Capsules, frame: int, origin: np.ndarray, scale: float, height: int, width: int):
    """Depth and part of every pixel by plain loops over pixels and parts."""
    depth = np.full((height, width), np.inf)
    owner = np.full((height, width), -1)
    for number, part in enumerate(capsules.parts):
        p, q = (capsules.ends[frame, number] - origin) * scale
        r0, r1 = capsules.radius[frame, number] * scale
        length = np.linalg.norm(q - p)
        for row in range(height):
            for column in range(width):
                offset = np.array([column + 0.5, row + 0.5]) - p
                along = offset @ (q - p) / length
                t = min(max(along / length, 0.0), 1.0)
                across = offset @ capsules.normal[frame, number] / (r0 + (r1 - r0) * t)
                if along < 0:
                    over = -along / (part[7] * r0)
                elif along > length:
                    over = (along - length) / (part[8] * r1)
                else:
                    over = 0.0
                inside = 1 - across**2 - over**2
                if inside > 0:
                    d0, d1 = capsules.depth[frame, number]
                    z = d0 + (d1 - d0) * t - capsules.bulge[frame, number] * np.sqrt(inside)
                    if z < depth[row, column]:
                        depth[row, column], owner[row, column] = z, number
    return depth, owner


@pytest.fixture(scope="module")
def walker():
    rng = np.random.default_rng(3)
    wardrobe = make_wardrobe(rng, 1, 8)
    identity = draw_identity(rng, wardrobe)
    camera = make_cameras(rng)[3]
    build = build_of(identity)
    headings = np.array([-1.2, 0.4])
    world = place(pose(build, np.array([0.3, 2.0])), np.array([[0.5, 8.0], [0.6, 8.1]]), headings)
    capsules = project_walker(parts_of(True, True, "backpack"), world, headings, build, camera)
    points, _ = camera.project(world)
    return capsules, points, dress(identity, wardrobe, rng)


@pytest.mark.parametrize("frame", [0, 1])
def test_fast_painter_equals_loops_over_pixels(walker, frame: int) -> None:
    capsules, points, textures = walker
    low, high = points[frame].min(0) - 8, points[frame].max(0) + 8
    scale = 60 / (high - low)[1]
    width = round((high - low)[0] * scale)
    canvas = Canvas(np.zeros((60, width, 3), np.float32))
    # Every part paints its own number into the texture, so that the pixels say which part is in front.
    parts = {part[0]: number for number, part in enumerate(capsules.parts)}
    numbered = {name: np.full((ROWS, COLUMNS, 3), parts[name], np.float32) for name in textures}
    paint_walker(canvas, capsules, frame, numbered, low, scale, (0.0, 0.0, 0.0), 1)
    depth, owner = slow_painter(capsules, frame, low, scale, 60, width)
    painted = canvas.owner == 1
    assert (painted != (owner >= 0)).mean() < 0.002  # single precision at the very edge
    both = painted & (owner >= 0)
    np.testing.assert_allclose(canvas.depth[both], depth[both], atol=2e-3)
    named = np.array([parts[capsules.parts[o][0]] for o in owner[both]])
    assert (np.round(canvas.pixels[both][:, 0] / 0.55) == named).mean() > 0.99


def test_what_is_nearer_covers_what_is_farther_in_either_order(walker) -> None:
    capsules, points, textures = walker
    low = points[0].min(0) - 5
    nearer = Capsules(**{**vars(capsules), "depth": capsules.depth - 2.0})
    pictures = []
    for order in ((capsules, nearer), (nearer, capsules)):
        canvas = Canvas(np.zeros((64, 40, 3), np.float32))
        for who in order:
            paint_walker(canvas, who, 0, textures, low, 0.5, (0, 0, 1.0), 1 if who is nearer else 2)
        pictures.append(canvas)
    np.testing.assert_array_equal(pictures[0].owner, pictures[1].owner)
    assert set(np.unique(pictures[0].owner)) == {0, 1}


def textured(heading: float) -> np.ndarray:
    """Colours along a trunk that is red in front, green behind, blue left and white right."""
    rng = np.random.default_rng(0)
    wardrobe = make_wardrobe(rng, 1, 8)
    camera = make_cameras(rng)[0]
    build = build_of(draw_identity(rng, wardrobe))
    headings = np.array([heading])
    world = place(pose(build, np.array([0.0])), np.array([[0.0, 9.0]]), headings)
    part = next(p for p in parts_of(False, False, "none") if p[0] == "chest")
    capsules = project_walker((part,), world, headings, build, camera)
    chest = np.zeros((ROWS, COLUMNS, 3), np.float32)
    quarter = COLUMNS // 4
    names = np.array(
        [(255, 0, 0), (0, 0, 255), (255, 255, 255), (0, 255, 0)], np.float32
    )  # left front right back
    for number, colour in enumerate(names):
        chest[
            :, np.arange(number * quarter - quarter // 2, (number + 1) * quarter - quarter // 2) % COLUMNS
        ] = colour
    points, _ = camera.project(world)
    middle = points[0, POINTS.index("chest_top")] * 0.6 + points[0, POINTS.index("waist")] * 0.4
    canvas = Canvas(np.zeros((41, 41, 3), np.float32))
    paint_walker(canvas, capsules, 0, {"chest": chest}, middle - 20.5 / 1.5, 1.5, (0, 0, 1.0), 1)
    row = canvas.pixels[20][canvas.owner[20] == 1]
    return np.sign(np.round(row / row.max(1, keepdims=True)))[[1, len(row) // 2, -2]]


RED, GREEN, BLUE, WHITE = (0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 1)


@pytest.mark.parametrize(
    ("heading", "left", "middle", "right"),
    [
        (
            -np.pi / 2,
            WHITE,
            RED,
            BLUE,
        ),  # towards the camera: the wearer's left side is at the picture's right
        (np.pi / 2, BLUE, GREEN, WHITE),  # away
        (0.0, GREEN, WHITE, RED),  # to the right: the wearer's right side is seen, the front at the right
        (np.pi, RED, BLUE, GREEN),
    ],
)
def test_the_front_is_in_front(heading: float, left: tuple, middle: tuple, right: tuple) -> None:
    np.testing.assert_array_equal(textured(heading), [left, middle, right])
