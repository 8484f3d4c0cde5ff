"""Weights of patches for body parts, against a loop over pixels and by hand."""

import math

import pytest
import torch

from vidreid.keypoints.part_maps import PatchGrid, joint_sigma, patch_maps, visible_parts
from vidreid.keypoints.released_part_maps import drawn_maps
from vidreid.keypoints.skeleton import SKELETONS

SKELETON_NAMES = sorted(SKELETONS)


def slow_patch_maps(keypoints, parts, grid: PatchGrid, sigma: float, min_score: float, divide_by_all: bool):
    """Pixel by pixel, patch by patch."""
    rows = []
    for joints in parts.values():
        seen = [keypoints[j].tolist() for j in joints if keypoints[j, 2] > min_score]
        count = len(joints) if divide_by_all else max(len(seen), 1)
        for r in range(grid.rows):
            for c in range(grid.columns):
                total = 0.0
                for y in range(r * grid.stride, r * grid.stride + grid.patch):
                    for x in range(c * grid.stride, c * grid.stride + grid.patch):
                        for jx, jy, _ in seen:
                            total += math.exp(-((x - jx) ** 2 + (y - jy) ** 2) / (2 * sigma**2))
                rows.append(total / grid.patch**2 / count)
    return torch.tensor(rows, dtype=torch.float64).view(len(parts), -1)


@pytest.mark.parametrize("joints", SKELETON_NAMES)
@pytest.mark.parametrize("grid", [PatchGrid(32, 16, 8, 8), PatchGrid(33, 18, 8, 6)])
def test_closed_form_equals_a_loop_over_pixels(joints: str, grid: PatchGrid) -> None:
    skeleton = SKELETONS[joints]
    generator = torch.Generator().manual_seed(1)
    keypoints = torch.rand(len(skeleton), 3, generator=generator, dtype=torch.float64)
    keypoints[:, :2] = keypoints[:, :2] * torch.tensor([grid.width + 8.0, grid.height + 8.0]) - 4
    for divisor in ("all", "visible"):
        maps = patch_maps(keypoints, skeleton.parts, grid, sigma=3.0, min_score=0.3, divisor=divisor)
        slow = slow_patch_maps(keypoints, skeleton.parts, grid, 3.0, 0.3, divisor == "all")
        torch.testing.assert_close(maps, slow)


def test_batches_are_taken_one_by_one() -> None:
    keypoints = torch.rand(2, 3, 17, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [64, 128, 1.0]
    )
    grid = PatchGrid(128, 64)
    maps = patch_maps(keypoints, SKELETONS["coco17"].parts, grid)
    assert maps.shape == (2, 3, 6, 32)
    for b in range(2):
        for t in range(3):
            torch.testing.assert_close(
                maps[b, t], patch_maps(keypoints[b, t], SKELETONS["coco17"].parts, grid)
            )


def test_the_width_of_a_joint_is_the_releases() -> None:
    assert joint_sigma(128) == 23 / 4
    assert joint_sigma(64) == 11 / 4


@pytest.mark.parametrize("joints", SKELETON_NAMES)
def test_parts_are_disjoint_and_mirror_each_other(joints: str) -> None:
    skeleton = SKELETONS[joints]
    every = [joint for part in skeleton.parts.values() for joint in part]
    assert sorted(every) == sorted(set(every))
    assert set(every) == set(range(len(skeleton)))
    for name, part in skeleton.parts.items():
        other = name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
        assert {skeleton.mirror[joint] for joint in part} == set(skeleton.parts[other])


def test_a_flip_exchanges_left_and_right_maps() -> None:
    """Mirrored frames with swapped joints give mirrored maps of the other side's part."""
    skeleton, grid = SKELETONS["coco17"], PatchGrid(128, 64, 8, 8)
    keypoints = torch.rand(17, 3, generator=torch.Generator().manual_seed(2)) * torch.tensor([63, 127, 1.0])
    flipped = keypoints.clone()
    flipped[:, 0] = 63 - flipped[:, 0]
    flipped = flipped[list(skeleton.mirror)]
    names = list(skeleton.parts)
    maps, mirrored = (
        patch_maps(k, skeleton.parts, grid).view(6, grid.rows, grid.columns) for k in (keypoints, flipped)
    )
    left, right = names.index("left_arm"), names.index("right_arm")
    torch.testing.assert_close(mirrored[right], maps[left].flip(1))
    torch.testing.assert_close(mirrored[left], maps[right].flip(1))
    torch.testing.assert_close(mirrored[names.index("head")], maps[names.index("head")].flip(1))


def test_what_counts_as_visible() -> None:
    keypoints = torch.zeros(17, 3)
    keypoints[0] = torch.tensor([5.0, 5.0, 0.9])  # nose, inside
    keypoints[9] = torch.tensor([70.0, 20.0, 0.9])  # left wrist, outside
    keypoints[10] = torch.tensor([20.0, 20.0, 0.1])  # right wrist, not surer than the threshold
    shown = visible_parts(keypoints, SKELETONS["coco17"].parts, PatchGrid(128, 64))
    assert shown.tolist() == [True, False, False, False, False, False]


def test_windows_that_meet_are_averaged() -> None:
    """Two joints at the same place give the map of one; far apart, each keeps its own."""
    alone, twice, apart = torch.zeros(17, 3), torch.zeros(17, 3), torch.zeros(17, 3)
    alone[7] = torch.tensor([30.0, 40.0, 1.0])
    twice[[7, 9]] = torch.tensor([30.0, 40.0, 1.0])
    apart[7], apart[9] = torch.tensor([30.0, 40.0, 1.0]), torch.tensor([30.0, 90.0, 1.0])
    one, two, both = (drawn_maps(k, SKELETONS["coco17"].parts, 128, 64)[2] for k in (alone, twice, apart))
    torch.testing.assert_close(one, two)
    torch.testing.assert_close(both[:60], one[:60])
    torch.testing.assert_close(both.sum(), 2 * one.sum())
