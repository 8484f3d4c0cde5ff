"""Part maps against the older generator of the released KeyRe-ID, its loader, and the paper's formula (case
9)."""

import numpy as np
import pytest
import torch
from torch import Tensor

from support.golden_key_reid import check, load
from vidreid.keypoints.part_maps import PatchGrid, patch_maps, visible_parts
from vidreid.keypoints.released_part_maps import drawn_maps, loaded_maps, patch_means
from vidreid.keypoints.skeleton import COCO17

CASE = "case09_heatmaps"
PARTS = COCO17.parts
GRID = PatchGrid(256, 128)
QUARTER = torch.tensor([0.25, 0.25, 1.0])


@pytest.fixture(scope="module")
def case(golden_file):
    return load(golden_file(f"{CASE}.npz"))


def joints(case, suffix: str = "") -> Tensor:
    return torch.from_numpy(case[f"keypoints{suffix}"])


@pytest.mark.parametrize("prefix", ["full", "full_no_left_arm"])
def test_golden_drawn_maps(case, prefix: str) -> None:
    maps = drawn_maps(joints(case, prefix.removeprefix("full")), PARTS, 256, 128)
    check(CASE, f"{prefix}_values", maps.flatten()[case[f"{prefix}_index"]], case[f"{prefix}_values"])
    check(CASE, f"{prefix}_sums", maps.sum((1, 2)), case[f"{prefix}_sums"])
    check(CASE, f"{prefix}_maxima", maps.amax((1, 2)), case[f"{prefix}_maxima"])
    check(CASE, f"{prefix}_nonzero_count", (maps > 0).sum((1, 2)), case[f"{prefix}_nonzero_count"])
    loaded = loaded_maps(maps, 256, 128)
    values = loaded.flatten()[case[f"{prefix}_loader_index"]]
    check(CASE, f"{prefix}_loader_values", values, case[f"{prefix}_loader_values"])
    means = patch_means(loaded, GRID).T
    check(CASE, f"{prefix}_loader_patch_means", means, case[f"{prefix}_loader_patch_means"])


def test_golden_small_maps_are_resized_by_the_loader(case) -> None:
    maps = drawn_maps(joints(case) * QUARTER, PARTS, 64, 32)
    check(CASE, "small_maps", maps, case["small_maps"])
    loaded = loaded_maps(maps, 256, 128)
    check(
        CASE, "small_loader_values", loaded.flatten()[case["small_loader_index"]], case["small_loader_values"]
    )
    check(CASE, "small_loader_patch_means", patch_means(loaded, GRID).T, case["small_loader_patch_means"])


def test_golden_a_part_without_joints_is_the_constant_minus_one(case) -> None:
    loaded = loaded_maps(drawn_maps(joints(case, "_no_left_arm"), PARTS, 256, 128), 256, 128)
    assert torch.equal(loaded[2], torch.full((256, 128), -1.0))
    # What the generator in the release draws of any pose is empty, so every part ends up as this constant.
    assert not case["full_released_generator_max"].any()


@pytest.mark.parametrize("prefix", ["full", "full_no_left_arm"])
def test_golden_paper_formula_on_the_patch_grid(case, prefix: str) -> None:
    found = joints(case, prefix.removeprefix("full"))
    for divisor, name in (("all", "paper_patch_means"), ("visible", "paper_visible_patch_means")):
        maps = patch_maps(found, PARTS, GRID, divisor=divisor)
        check(CASE, f"{prefix}_{name}", maps.T, case[f"{prefix}_{name}"])


def test_golden_paper_formula_on_a_finer_grid(case) -> None:
    small = joints(case) * QUARTER
    maps = patch_maps(small, PARTS, PatchGrid(64, 32, 4, 4))
    check(CASE, "small_paper_patch_means", maps.T, case["small_paper_patch_means"])
    pixels = patch_maps(small, PARTS, PatchGrid(64, 32, 1, 1)).reshape(6, 64, 32)
    check(CASE, "small_paper_maps", pixels, case["small_paper_maps"])


def test_golden_visible_parts(case) -> None:
    assert visible_parts(joints(case), PARTS, GRID).all()
    hidden = ~visible_parts(joints(case, "_no_left_arm"), PARTS, GRID)
    assert np.flatnonzero(hidden).tolist() == [list(PARTS).index("left_arm")]
