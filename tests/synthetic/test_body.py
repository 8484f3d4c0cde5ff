import numpy as np
import pytest

from vidreid.synthetic.body import POINT, Build, build_of, place, pose
from vidreid.synthetic.identity import LEVELS, draw_identity
from vidreid.synthetic.wardrobe import make_wardrobe

BUILD = Build(1.75, 1.0, 1.0, 1.0, 0.95, 1.35, 0.4, 0.05)
PHASES = np.linspace(0, 2 * np.pi, 25)


def length(points: np.ndarray, first: str, second: str) -> np.ndarray:
    return np.linalg.norm(points[:, POINT[first]] - points[:, POINT[second]], axis=-1)


@pytest.mark.parametrize(
    ("first", "second"),
    [("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"), ("heel", "toe")],
)
def test_bones_keep_their_length_and_are_alike_on_both_sides(first: str, second: str) -> None:
    points = pose(BUILD, PHASES)
    left, right = (
        length(points, f"left_{first}", f"left_{second}"),
        length(points, f"right_{first}", f"right_{second}"),
    )
    np.testing.assert_allclose(left, left[0], rtol=0.02)
    np.testing.assert_allclose(right, left[0], rtol=0.02)


def test_stature_and_ground() -> None:
    points = pose(BUILD, PHASES)
    crown = points[:, POINT["crown"], 2]
    assert 1.55 < crown.min() < crown.max() < 1.80
    soles = points[:, [POINT[f"{side}_{end}"] for side in ("left", "right") for end in ("heel", "toe")], 2]
    np.testing.assert_allclose(soles.min(1), 0.45 * 0.04 * 1.75)


def test_left_is_left_and_the_legs_take_turns() -> None:
    points = pose(BUILD, PHASES)
    for joint in ("shoulder", "hip", "eye", "ear", "elbow", "ankle"):
        assert (points[:, POINT[f"left_{joint}"], 1] > points[:, POINT[f"right_{joint}"], 1]).all()
    # Half a cycle later the other side does the same.
    later = pose(BUILD, PHASES + np.pi)
    np.testing.assert_allclose(
        later[:, POINT["left_ankle"], 0] - later[:, POINT["left_hip"], 0],
        points[:, POINT["right_ankle"], 0] - points[:, POINT["right_hip"], 0],
        atol=1e-9,
    )
    ahead = points[:, POINT["left_ankle"], 0] - points[:, POINT["right_ankle"], 0]
    assert ahead.max() > 0.25
    assert ahead.min() < -0.25


def test_arms_swing_against_the_leg_of_their_side() -> None:
    points = pose(BUILD, PHASES)
    leg = points[:, POINT["left_ankle"], 0] - points[:, POINT["left_hip"], 0]
    arm = points[:, POINT["left_wrist"], 0] - points[:, POINT["left_shoulder"], 0]
    assert np.corrcoef(leg, arm)[0, 1] < -0.8


def test_knees_bend_forwards_only() -> None:
    points = pose(BUILD, PHASES)
    for side in ("left", "right"):
        hip, knee, ankle = (points[:, POINT[f"{side}_{j}"]] for j in ("hip", "knee", "ankle"))
        straight = hip + (ankle - hip) * ((knee - hip)[:, 2:] / (ankle - hip)[:, 2:])
        assert (knee[:, 0] >= straight[:, 0]).all()


def test_place_turns_and_moves() -> None:
    points = np.zeros((1, 2, 3))
    points[0, 0] = (1.0, 0.0, 0.5)  # ahead
    points[0, 1] = (0.0, 1.0, 0.5)  # left
    # Walking towards the camera (heading -y): ahead is -y, the person's left is the camera's right (+x).
    world = place(points, np.array([[3.0, 8.0]]), np.array([-np.pi / 2]))
    np.testing.assert_allclose(world[0, 0], (3.0, 7.0, 0.5), atol=1e-12)
    np.testing.assert_allclose(world[0, 1], (4.0, 8.0, 0.5), atol=1e-12)


def test_levels_span_the_physical_range() -> None:
    rng = np.random.default_rng(0)
    wardrobe = make_wardrobe(rng, 1, 8)
    builds = [build_of(draw_identity(rng, wardrobe)) for _ in range(200)]
    assert len({b.height for b in builds}) == LEVELS["height"]
    assert min(b.height for b in builds) == pytest.approx(1.54)
    assert max(b.height for b in builds) == pytest.approx(1.93)
    assert all(0.8 < b.speed < 1.8 for b in builds)
