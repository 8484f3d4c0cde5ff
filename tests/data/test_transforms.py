"""A dot of a colour of its own is painted under each joint; afterwards it must lie under its keypoint."""

import albumentations
import numpy as np
import pytest

from vidreid.data.augmentations import MEAN_COLOUR, EnlargeCropClip, EraseClip, MirrorClip, PadCropClip
from vidreid.data.transforms import ClipTransform, training_augmentations
from vidreid.keypoints.skeleton import BODY12

HEIGHT, WIDTH, FRAMES, JOINTS = 256, 128, 3, 12
COLOURS = np.array([[250, 20 * j, 250 - 20 * j] for j in range(JOINTS)], dtype=np.uint8)
NAMES = list(BODY12.names)


def _painted(height=HEIGHT, width=WIDTH, radius=5, seed=0):
    """Frames of grey with dots on a grid (so that they never touch), and their keypoints."""
    generator = np.random.default_rng(seed)
    frames, keypoints = [], np.zeros((FRAMES, JOINTS, 3), dtype=np.float32)
    ys, xs = np.mgrid[:height, :width] + 0.5
    for t in range(FRAMES):
        frame = np.full((height, width, 3), 90, dtype=np.uint8)
        places = generator.permutation(JOINTS)
        for j in range(JOINTS):
            x = width * (0.25 + 0.25 * (places[j] % 3)) + generator.uniform(-3, 3)
            y = height * (0.2 + 0.2 * (places[j] // 3)) + generator.uniform(-3, 3)
            frame[(xs - x) ** 2 + (ys - y) ** 2 <= radius**2] = COLOURS[j]
            keypoints[t, j] = x, y, 0.5 + 0.04 * j
        frames.append(frame)
    return frames, keypoints


def _dot(image, joint, least=8):
    """Centre of a joint's dot in ``(3, H, W)`` if enough of it is there; pixel 0 spans [0, 1]."""
    near = np.abs(image.astype(int) - COLOURS[joint].astype(int)[:, None, None]).max(axis=0) < 8
    ys, xs = np.nonzero(near)
    return (xs.mean() + 0.5, ys.mean() + 0.5) if len(xs) >= least else None


def _check(images, keypoints, mirrored, tolerance=0.6, least=8):
    found = 0
    for t in range(len(images)):
        for j in range(JOINTS):
            # In a mirrored picture the person's left wrist looks like a right one: labels change places.
            painted = BODY12.mirror[j] if mirrored else j
            centre = _dot(images[t], painted, least)
            if centre is not None:
                found += 1
                assert np.abs(keypoints[t, j, :2] - centre).max() < tolerance
            assert keypoints[t, j, 2] == pytest.approx(0.5 + 0.04 * painted)
    return found


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (400, 180), (512, 96)])
def test_resizing_moves_joints_with_pixels(size):
    images, keypoints, _ = ClipTransform(HEIGHT, WIDTH)(*_painted(*size, radius=8), seed=0)
    assert images.shape == (FRAMES, 3, HEIGHT, WIDTH)
    assert images.dtype == np.uint8
    assert images.flags.c_contiguous
    assert _check(images, keypoints, mirrored=False) > 30


def test_frames_of_different_sizes_make_one_clip():
    small, large = _painted(128, 64), _painted(300, 160)
    frames = [small[0][0], large[0][1]]
    keypoints = np.stack([small[1][0], large[1][1]])
    images, moved, _ = ClipTransform(HEIGHT, WIDTH)(frames, keypoints, seed=0)
    assert images.shape == (2, 3, HEIGHT, WIDTH)
    np.testing.assert_allclose(moved[0, :, :2], small[1][0, :, :2] * 2)
    np.testing.assert_allclose(moved[1, :, :2], large[1][1, :, :2] * [WIDTH / 160, HEIGHT / 300], rtol=1e-6)


def test_without_change_the_pixels_are_those_of_the_frames():
    frames, keypoints = _painted()
    images, moved, _ = ClipTransform(HEIGHT, WIDTH)(frames, keypoints, seed=0)
    np.testing.assert_array_equal(images, np.stack(frames).transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(moved, keypoints)


@pytest.mark.parametrize("mirror", [MirrorClip(p=1.0), albumentations.HorizontalFlip(p=1.0)])
def test_mirroring_moves_joints_and_swaps_left_and_right(mirror):
    frames, keypoints = _painted()
    images, moved, _ = ClipTransform(HEIGHT, WIDTH, [mirror])(frames, keypoints, seed=0)
    np.testing.assert_array_equal(images, np.stack(frames)[:, :, ::-1].transpose(0, 3, 1, 2))
    # albumentations counts pixel centres, hence one pixel of difference.
    assert _check(images, moved, mirrored=True, tolerance=1.2) == FRAMES * JOINTS
    left, right = NAMES.index("left_wrist"), NAMES.index("right_wrist")
    if isinstance(mirror, MirrorClip):
        np.testing.assert_allclose(moved[:, left, 0], WIDTH - keypoints[:, right, 0])
    np.testing.assert_array_equal(moved[:, left, 1:], keypoints[:, right, 1:])


def test_mirroring_twice_is_nothing():
    frames, keypoints = _painted()
    images, moved, _ = ClipTransform(HEIGHT, WIDTH, [MirrorClip(p=1.0), MirrorClip(p=1.0)])(
        frames, keypoints, seed=0
    )
    np.testing.assert_array_equal(images, np.stack(frames).transpose(0, 3, 1, 2))
    np.testing.assert_allclose(moved, keypoints, atol=1e-4)


def test_a_turn_of_the_picture_swaps_nothing():
    frames, keypoints = _painted()
    turn = albumentations.Affine(rotate=(10, 10), p=1.0)
    images, moved, _ = ClipTransform(HEIGHT, WIDTH, [turn])(frames, keypoints, seed=0)
    assert _check(images, moved, mirrored=False, tolerance=1.2) > 20


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("independent", [False, True])
@pytest.mark.parametrize("options", [{"erase": 0.5, "crop": 10}, {"erase": 0.0, "enlarge": 0.5}])
def test_joints_stay_under_their_dots_through_all_augmentations(seed, independent, options):
    augmentations = training_augmentations(flip=0.5, **options)
    transform = ClipTransform(HEIGHT, WIDTH, augmentations, independent_frames=independent)
    images, keypoints, _ = transform(*_painted(300, 150, radius=7), seed)
    for t in range(FRAMES):
        # Confidence tells the labels apart: it was painted as a function of the joint.
        mirrored = bool(abs(keypoints[t, 0, 2] - 0.54) < 1e-6)
        _check(images[t : t + 1], keypoints[t : t + 1], mirrored, tolerance=1.5, least=70)


def test_the_shift_fills_with_the_mean_and_reaches_both_sides():
    frames, keypoints = _painted()
    transform = ClipTransform(HEIGHT, WIDTH, [PadCropClip(6)])
    shifts = set()
    for seed in range(60):
        images, moved, _ = transform(frames, keypoints, seed)
        dx, dy = (moved - keypoints)[0, 0, :2].round().astype(int).tolist()
        assert _check(images, moved, mirrored=False, tolerance=0.6) > 0
        shifts.add((dx, dy))
        expected = np.empty((HEIGHT + 12, WIDTH + 12, 3), dtype=np.uint8)
        expected[:] = MEAN_COLOUR
        expected[6:-6, 6:-6] = frames[1]
        slow = expected[6 - dy : 6 - dy + HEIGHT, 6 - dx : 6 - dx + WIDTH]
        np.testing.assert_array_equal(images[1], slow.transpose(2, 0, 1))
    assert {min(dx for dx, _ in shifts), max(dx for dx, _ in shifts)} == {-6, 6}
    assert {min(dy for _, dy in shifts), max(dy for _, dy in shifts)} == {-6, 6}


def _enlarged(frame):
    """9/8 of the size by bilinear interpolation between pixel centres, one output pixel at a time."""
    tall, wide = 9 * HEIGHT // 8, 9 * WIDTH // 8
    places = [
        np.clip((np.arange(n) + 0.5) * 8 / 9 - 0.5, 0, limit - 1)
        for n, limit in ((tall, HEIGHT), (wide, WIDTH))
    ]
    below = [np.floor(place).astype(int) for place in places]
    above = [np.minimum(i + 1, limit - 1) for i, limit in zip(below, (HEIGHT, WIDTH), strict=True)]
    y, x = ((place - i)[..., None] for place, i in zip(places, below, strict=True))
    y, pixels = y[:, None], frame.astype(float)
    upper = pixels[below[0]][:, below[1]] * (1 - x) + pixels[below[0]][:, above[1]] * x
    lower = pixels[above[0]][:, below[1]] * (1 - x) + pixels[above[0]][:, above[1]] * x
    return upper * (1 - y) + lower * y


def test_enlarging_cuts_the_old_size_out_of_nine_eighths():
    frames, keypoints = _painted()
    transform = ClipTransform(HEIGHT, WIDTH, [EnlargeCropClip(p=1.0)])
    slow = [_enlarged(frame) for frame in frames]
    corners = set()
    for seed in range(150):
        images, moved, _ = transform(frames, keypoints, seed)
        left, top = np.rint(keypoints[0, 0, :2] * 1.125 - moved[0, 0, :2]).astype(int).tolist()
        np.testing.assert_allclose(moved[..., :2], keypoints[..., :2] * 1.125 - [left, top], atol=1e-3)
        corners.add((left, top))
        if seed < 5:
            assert _check(images, moved, mirrored=False) > 20
            for image, whole in zip(images, slow, strict=True):
                cut = whole[top : top + HEIGHT, left : left + WIDTH].transpose(2, 0, 1)
                assert np.abs(image - cut).max() < 1.01
    assert {min(x for x, _ in corners), max(x for x, _ in corners)} == {0, WIDTH // 8}
    assert {min(y for _, y in corners), max(y for _, y in corners)} == {0, HEIGHT // 8}


def test_enlarging_comes_as_often_as_asked():
    frames, keypoints = _painted()
    transform = ClipTransform(HEIGHT, WIDTH, training_augmentations(flip=0.0, erase=0.0, enlarge=0.5))
    changed = [bool((transform(frames, keypoints, seed)[1] != keypoints).any()) for seed in range(200)]
    assert 70 < sum(changed) < 130
    with pytest.raises(ValueError, match="must be 1 or more to enlarge"):
        EnlargeCropClip(0.9)


def _erased(images):
    return (images == np.array(MEAN_COLOUR)[None, :, None, None]).all(axis=1)


def test_erasing_fills_one_rectangle_of_the_wanted_size_and_spares_keypoints():
    frames, keypoints = _painted()
    transform = ClipTransform(HEIGHT, WIDTH, [EraseClip(p=1.0)])
    for seed in range(40):
        images, moved, _ = transform(frames, keypoints, seed)
        np.testing.assert_array_equal(moved, keypoints)
        holes = _erased(images)
        np.testing.assert_array_equal(holes[0], holes[1])
        ys, xs = np.nonzero(holes[0])
        height, width = np.ptp(ys) + 1, np.ptp(xs) + 1
        assert height * width == len(ys)
        assert 0.019 < len(ys) / (HEIGHT * WIDTH) < 0.41
        assert 0.28 < height / width < 3.5
        untouched = ~holes[0]
        original = np.stack(frames).transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(images[:, :, untouched], original[:, :, untouched])


def test_erasing_can_differ_from_frame_to_frame():
    frames, keypoints = _painted()
    transform = ClipTransform(HEIGHT, WIDTH, [EraseClip(p=0.5, per_frame=True)])
    holes = [_erased(transform(frames, keypoints, seed)[0]) for seed in range(40)]
    with_hole = np.array([hole.any(axis=(1, 2)) for hole in holes])
    assert 0.35 < with_hole.mean() < 0.65
    assert any(w.any() and not w.all() for w in with_hole)


def test_the_same_for_all_frames_of_a_clip():
    frame, joints = _painted()[0][0], _painted()[1][:1]
    transform = ClipTransform(HEIGHT, WIDTH, training_augmentations(crop=8, jitter=0.3))
    for seed in range(8):
        images, keypoints, _ = transform([frame] * 4, np.repeat(joints, 4, axis=0), seed)
        assert (images == images[0]).all()
        assert (keypoints == keypoints[0]).all()
    alone = ClipTransform(HEIGHT, WIDTH, training_augmentations(crop=8), independent_frames=True)
    assert not (alone([frame] * 8, None, 0)[0] == alone([frame], None, 0)[0]).all()


def test_mirroring_and_erasing_are_independent():
    # Given one seed each, all transforms of albumentations draw the same numbers: they would come together.
    frames, _ = _painted()
    points = np.zeros((FRAMES, JOINTS, 3), dtype=np.float32)
    points[:, 0, 2] = 1.0
    transform = ClipTransform(HEIGHT, WIDTH, training_augmentations())
    seen = np.zeros((2, 2), dtype=int)
    for seed in range(300):
        images, moved, _ = transform(frames, points, seed)
        seen[int(moved[0, 1, 2] == 1.0), int(_erased(images).any())] += 1
    assert seen.sum() == 300
    assert (seen > 45).all()


@pytest.mark.parametrize(
    "options", [{}, {"crop": 9, "jitter": 0.4}, {"erase_per_frame": True}, {"enlarge": 0.5}]
)
def test_a_seed_gives_the_same_bytes_whatever_came_before(options):
    frames, keypoints = _painted()
    one = ClipTransform(HEIGHT, WIDTH, training_augmentations(**options))
    other = ClipTransform(HEIGHT, WIDTH, training_augmentations(**options))
    expected = [one(frames, keypoints, seed) for seed in range(12)]
    for seed in (4, 11, 1, 4, 0, 5):
        images, moved, _ = other(frames, keypoints, seed)
        assert images.tobytes() == expected[seed][0].tobytes()
        assert moved.tobytes() == expected[seed][1].tobytes()
    assert len({images.tobytes() for images, *_ in expected}) > 3


def test_foreign_transforms_follow_the_seed_too():
    frames, _ = _painted()
    transform = ClipTransform(
        HEIGHT, WIDTH, [albumentations.GaussNoise(p=1.0), albumentations.CoarseDropout(p=1.0)]
    )
    first = [transform(frames, None, seed)[0].tobytes() for seed in (0, 1, 0)]
    assert first[0] == first[2] != first[1]


def test_arguments_are_not_changed():
    frames, keypoints = _painted()
    before = [frame.copy() for frame in frames], keypoints.copy()
    ClipTransform(HEIGHT, WIDTH, training_augmentations(1.0, 1.0, 5))(frames, keypoints, 0)
    ClipTransform(64, 32)(frames, keypoints, 0)
    np.testing.assert_array_equal(np.stack(frames), np.stack(before[0]))
    np.testing.assert_array_equal(keypoints, before[1])


def test_keypoints_do_not_change_the_pixels():
    frames, keypoints = _painted()
    transform = ClipTransform(HEIGHT, WIDTH, training_augmentations(crop=7))
    for seed in range(6):
        with_them, without = transform(frames, keypoints, seed), transform(frames, None, seed)
        np.testing.assert_array_equal(with_them[0], without[0])
        assert without[1] is None


def test_seventeen_joints_swap_by_their_own_order():
    keypoints = np.zeros((1, 17, 3), dtype=np.float32)
    keypoints[0, :, 1] = np.arange(17)
    frame = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    _, moved, _ = ClipTransform(HEIGHT, WIDTH, [MirrorClip(p=1.0)], joints="coco17")([frame], keypoints, 0)
    assert moved[0, :, 1].tolist() == [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


@pytest.mark.parametrize("independent", [False, True])
def test_keypoints_can_be_left_behind_as_in_the_released_kmpnet(independent):
    frames, keypoints = _painted(128, 64)
    augmentations = training_augmentations(flip=1.0, erase=0.0, crop=10)
    follow = ClipTransform(HEIGHT, WIDTH, augmentations, independent_frames=independent)
    leave = ClipTransform(HEIGHT, WIDTH, augmentations, "body12", independent, keypoints_follow=False)
    (moved_frames, moved, _), (images, left, _) = follow(frames, keypoints, 3), leave(frames, keypoints, 3)
    np.testing.assert_array_equal(images, moved_frames)
    # Resized with the frame, but neither mirrored nor shifted, and no left joint became a right one.
    np.testing.assert_allclose(left, keypoints * np.float32([2, 2, 1]))
    assert not np.allclose(moved, left, atol=1.0)
    assert leave(frames, None, 3)[1] is None


def test_fifteen_joints_swap_by_their_own_order():
    keypoints = np.zeros((1, 15, 3), dtype=np.float32)
    keypoints[0, :, 1] = np.arange(15)
    frame = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    transform = ClipTransform(HEIGHT, WIDTH, [MirrorClip(p=1.0)], joints="posetrack15")
    _, moved, _ = transform([frame], keypoints, 0)
    assert moved[0, :, 1].tolist() == [5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 12, 13, 14]


def test_an_augmentation_that_changes_the_size_is_refused():
    frames, _ = _painted()
    with pytest.raises(ValueError, match=r"from \(256, 128\) to \(100, 50\)"):
        ClipTransform(HEIGHT, WIDTH, [albumentations.RandomCrop(100, 50)])(frames, None, 0)
