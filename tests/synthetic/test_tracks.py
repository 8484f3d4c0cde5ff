from dataclasses import replace

import cv2
import numpy as np
import pytest

from vidreid.synthetic.boxes import drift, observed_boxes, true_boxes
from vidreid.synthetic.identity import draw_identities
from vidreid.synthetic.plan import SIZES, plan_split
from vidreid.synthetic.scene import Occluder, Scene
from vidreid.synthetic.tracks import Track, render_track
from vidreid.synthetic.world import cameras_of, render_planned, scene_of

PLAN = plan_split(0, "train", SIZES["tiny"])
OPEN = Scene(np.full((540, 960, 3), 120, np.uint8), ())


def render(seed: int, camera: int = 1, scene: Scene = OPEN, frames: int = 8, **changes: object) -> Track:
    identity = PLAN.identities[sorted(PLAN.identities)[seed % len(PLAN.identities)]]
    rng = np.random.default_rng([seed, camera])
    return render_track(
        rng, cameras_of(0)[camera - 1], scene, PLAN.wardrobe, identity, frames, height=96, keep_pixels=True,
        **changes,  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


def test_visible_joints_lie_on_the_target() -> None:
    on, near, count = 0, 0, 0
    for seed in range(4):
        for camera in range(1, 7):
            track = render(seed, camera, scene_of(0, camera, 0))
            assert track.person is not None
            for mask, joints in zip(track.person, track.true, strict=True):
                wide = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
                for x, y, confidence in joints:
                    if confidence == 1:
                        column, row = min(int(x), 47), min(int(y), 95)
                        on += int(mask[row, column])
                        near += int(wide[row, column])
                        count += 1
    assert count > 1000
    assert on / count > 0.97
    assert near / count > 0.998


def test_absent_joints_are_covered_or_outside() -> None:
    for camera in range(1, 7):
        track = render(1, camera, scene_of(0, camera, 1))
        assert track.person is not None
        for mask, joints in zip(track.person, track.true, strict=True):
            core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
            for x, y, confidence in joints:
                if confidence == 0 and 0 <= x < 48 and 0 <= y < 96:
                    assert not core[int(y), int(x)]


def mean_gap(camera: int, joint: int) -> float:
    """Mean of left minus right x, in pixels, over a few tracklets."""
    gaps = [
        render(seed, camera).true[:, joint, 0] - render(seed, camera).true[:, joint + 1, 0]
        for seed in range(4)
    ]
    return float(np.concatenate(gaps).mean())


@pytest.mark.parametrize("joint", [5, 11])
def test_left_is_the_persons_own(joint: int) -> None:
    # Camera 1 sees people from the front, camera 3 from behind.
    assert mean_gap(1, joint) > 2
    assert mean_gap(3, joint) < -2


def test_faces_are_hidden_from_behind() -> None:
    front = np.concatenate([render(seed, 1).true[:, :3, 2] for seed in range(4)])
    behind = np.concatenate([render(seed, 3).true[:, :3, 2] for seed in range(4)])
    assert np.mean(front == 1) > 0.6
    assert np.mean(behind == 1) < 0.1
    assert np.mean(behind == 0.5) > 0.6


def test_joints_are_where_the_picture_shows_them_whatever_its_size() -> None:
    camera = cameras_of(0)[0]
    identity = PLAN.identities[min(PLAN.identities)]
    small, large = (
        render_track(np.random.default_rng(4), camera, OPEN, PLAN.wardrobe, identity, 5, height=h)
        for h in (64, 128)
    )
    np.testing.assert_allclose(2 * small.true[..., :2], large.true[..., :2], rtol=1e-5)


def covering(top: float, opacity: float = 1.0) -> Scene:
    wall = np.full((4, 4, 4), opacity, np.float32)
    wall[..., :3] = (0, 0, 255)
    return Scene(OPEN.background, (Occluder("wall", 0.0, 4.0, 60.0, 0.0, top, wall),))


def test_a_wall_in_front_covers_what_is_behind_it() -> None:
    free, half, full = (render(2, 1, scene) for scene in (covering(2.0, 0.0), covering(2.0), covering(9.0)))
    assert half.visible.mean() < 0.75 * free.visible.mean()
    assert full.visible.max() == 0
    assert (full.true[..., 2] == 0).all()
    assert (full.detector == 0).all()
    assert half.true[:, [15, 16], 2].max() == 0  # the ankles are behind it
    assert half.true[:, [5, 6], 2].max() > 0  # the shoulders are not


def test_an_unseen_person_has_no_joints_in_a_false_box() -> None:
    track = render(3, kind="false")
    assert (track.true[..., 2] == 0).all()
    assert (track.visible == 0).all()


def test_a_switch_shows_somebody_else_in_the_second_half() -> None:
    people, _ = draw_identities(np.random.default_rng(9), PLAN.wardrobe, 2)
    plain, switched = render(5, frames=10), render(5, frames=10, switch_to=people[1])
    assert plain.pixels is not None
    assert switched.pixels is not None
    assert plain.person is not None
    assert switched.person is not None
    # The second one draws from the same generator: the walk stays, the boxes do not, so compare colours.
    before = np.abs(
        plain.pixels[:5][plain.person[:5]].mean(0) - switched.pixels[:5][switched.person[:5]].mean(0)
    )
    after = np.abs(
        plain.pixels[5:][plain.person[5:]].mean(0) - switched.pixels[5:][switched.person[5:]].mean(0)
    )
    assert after.max() > 2 * before.max()


def test_a_tracklet_depends_on_its_own_name_only() -> None:
    track = PLAN.tracks[3]
    first = render_planned(0, track, PLAN, 64)
    render_planned(0, PLAN.tracks[0], PLAN, 64)
    assert render_planned(0, track, PLAN, 64).images == first.images
    assert render_planned(0, replace(track, tracklet=track.tracklet + 1), PLAN, 64).images != first.images


def test_boxes_hold_the_skeleton_and_drift_slowly() -> None:
    points = np.random.default_rng(0).uniform((100, 50), (160, 210), (30, 20, 2))
    true = true_boxes(points)
    low, high = true[:, 1] - true[:, 2] / 2, true[:, 1] + true[:, 2] / 2
    assert (low < points[..., 1].min(1)).all()
    assert (high > points[..., 1].max(1)).all()
    walk = drift(np.random.default_rng(0), 4000, 2.0)
    assert walk.std() == pytest.approx(2.0, rel=0.15)
    assert np.corrcoef(walk[1:], walk[:-1])[0, 1] == pytest.approx(0.85, abs=0.05)
    exact = observed_boxes(np.random.default_rng(0), true, half_body=0.0, looseness=0.0)
    np.testing.assert_allclose(exact[:, 3], 1.08 * true[:, 2])
    np.testing.assert_allclose(exact[:, 1] + exact[:, 3] / 2, true[:, 1])
    half = observed_boxes(np.random.default_rng(0), true, half_body=1.0, looseness=0.0)
    shrunk = half[:, 3] < 0.8 * exact[:, 3]
    assert 7 <= shrunk.sum() <= 15
