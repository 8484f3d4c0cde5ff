"""From joints to the weights of rows."""

import pytest
import torch
from torch import Tensor

from vidreid.keypoints.part_maps import PatchGrid, patch_maps
from vidreid.keypoints.released_part_maps import drawn_maps, loaded_maps, patch_means
from vidreid.keypoints.skeleton import COCO17
from vidreid.models.key_reid import PartGuidance
from vidreid.models.layers.shift_shuffle import shift_shuffle_order

GRID = PatchGrid(128, 64, 16, 16)
PARTS = COCO17.parts
B, T = 2, 3


def standing(shift: float = 0.0) -> Tensor:
    """A person who stands in the middle of a 128x64 crop, (17, 3), all joints seen."""
    places = {
        0: (32, 14), 1: (34, 12), 2: (30, 12), 3: (36, 13), 4: (28, 13), 5: (42, 30), 6: (22, 30), 7: (46,
            48),
        8: (18, 48), 9: (47, 64), 10: (17, 64), 11: (38, 66), 12: (26, 66), 13: (38, 92), 14: (26, 92),
        15: (38, 118), 16: (26, 118),
    }  # fmt: skip
    return torch.tensor([[*places[joint], 0.9] for joint in range(17)]) + torch.tensor([shift, 0.0, 0.0])


@pytest.fixture
def keypoints() -> Tensor:
    """Clips in which the person drifts to the right; in the second one the left arm is missing."""
    made = torch.stack([torch.stack([standing(2.0 * t + b) for t in range(T)]) for b in range(B)])
    made[1, :, [7, 9], 2] = 0.0
    return made


def guidance(how: str, tokens: str = "aligned", shuffled: bool = False, **options) -> PartGuidance:
    order = shift_shuffle_order(GRID.patches) if shuffled else None
    return PartGuidance(how, "coco17", GRID, tokens, order, **options)  # type: ignore[arg-type]


def test_the_paper_weighs_by_the_mean_over_frames(keypoints: Tensor) -> None:
    """Eq. 5 on the patch grid, averaged over T; moved along when rows are shuffled."""
    maps = torch.stack([patch_maps(keypoints[:, t], PARTS, GRID) for t in range(T)], 1).mean(1)
    torch.testing.assert_close(guidance("paper")(keypoints), maps)
    order = shift_shuffle_order(GRID.patches)
    torch.testing.assert_close(guidance("paper", shuffled=True)(keypoints), maps[..., order])


def test_the_release_leaves_weights_behind(keypoints: Tensor) -> None:
    """Maps of its older generator through its loader, in [-1, 1], the same order whether rows are shuffled or
    not."""
    maps = patch_means(loaded_maps(drawn_maps(keypoints, PARTS, 128, 64), 128, 64), GRID).mean(1)
    for shuffled in (False, True):
        torch.testing.assert_close(guidance("released", shuffled=shuffled)(keypoints), maps)
    torch.testing.assert_close(maps[1, list(PARTS).index("left_arm")], torch.full((32,), -1.0))


def test_what_the_generator_of_the_release_really_draws(keypoints: Tensor) -> None:
    """Nothing: -1 everywhere, whatever the pose."""
    weights = guidance("released", maps="empty")(keypoints)
    assert torch.equal(weights, torch.full((B, 6, 32), -1.0))


@pytest.mark.parametrize("tokens", ["released", "aligned", "frames"])
def test_fixed_weights_are_stretched_to_one(keypoints: Tensor, tokens: str) -> None:
    weights = guidance("fixed", tokens)(keypoints)
    assert weights.shape == (B, 6, 32 * (T if tokens == "frames" else 1))
    assert torch.equal(weights.amax(-1), torch.ones(B, 6))
    assert (weights >= 0).all()
    hidden = list(PARTS).index("left_arm")
    assert torch.equal(weights[1, hidden], torch.ones_like(weights[1, hidden])), "reads everything"
    assert weights[0, hidden].std() > 0.1


def test_fixed_follows_the_body_from_frame_to_frame(keypoints: Tensor) -> None:
    """Under frames the strongest row of every frame is the patch that holds the joint."""
    keypoints = keypoints[:1].clone()
    keypoints[0, 1, :, 1] += 40  # in the second frame the person stands lower
    weights = guidance("fixed", "frames")(keypoints)[0].view(6, GRID.rows, GRID.columns, T)
    head = weights[0]
    rows = [int(head[..., t].amax(1).argmax()) for t in range(T)]
    assert rows == [0, 3, 0], "12 pixels from the top is the first row of patches, 52 the fourth"


def test_moving_a_joint_changes_its_part_only(keypoints: Tensor) -> None:
    before = guidance("fixed", "frames")(keypoints)
    moved = keypoints.clone()
    moved[:, :, 15, 0] -= 20  # left ankle
    after = guidance("fixed", "frames")(moved)
    changed = [(before[0, p] - after[0, p]).abs().max().item() > 1e-3 for p in range(6)]
    assert changed == [name == "left_leg" for name in PARTS]


def test_visible_parts_of_a_clip(keypoints: Tensor) -> None:
    keypoints[1, 2, 9, 2] = 0.5  # the left wrist shows in one frame
    assert guidance("fixed").visible(keypoints).all()
    keypoints[1, 2, 9, 0] = 70.0  # ... outside the frame
    shown = guidance("fixed").visible(keypoints)
    assert shown[1].tolist() == [name != "left_arm" for name in PARTS]


def test_the_spread_widens_the_maps(keypoints: Tensor) -> None:
    narrow, wide = (guidance("fixed", "frames", spread=spread)(keypoints) for spread in (0.5, 2.0))
    assert (wide[0].sum(-1) > narrow[0].sum(-1)).all()


def test_autocast_changes_no_weight(keypoints: Tensor) -> None:
    plain = guidance("fixed", "frames")(keypoints)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(guidance("fixed", "frames")(keypoints), plain)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="Unknown part_guidance 'best': choose one of released, paper"):
        guidance("best")
    with pytest.raises(ValueError, match="Unknown maps 'blur': choose one of gaussian, drawn, empty"):
        guidance("paper", maps="blur")
    with pytest.raises(ValueError, match="part_guidance=fixed needs maps=gaussian"):
        guidance("fixed", maps="drawn")
    with pytest.raises(ValueError, match="part_guidance=fixed needs maps=gaussian and weighing keys or"):
        guidance("fixed", weighing="tokens")
    with pytest.raises(ValueError, match="part_guidance=released has one weight a patch for all frames"):
        guidance("released", tokens="frames")
    with pytest.raises(ValueError, match="Unknown skeleton 'hand': choose one of coco17"):
        PartGuidance("fixed", "hand", GRID, "aligned", None)
