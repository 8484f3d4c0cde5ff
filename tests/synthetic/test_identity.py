from dataclasses import asdict

import numpy as np
import pytest

from vidreid.synthetic.clothes import BACK, FRONT, dress
from vidreid.synthetic.entropy import entropies
from vidreid.synthetic.identity import (
    LEVELS,
    LOCAL_CUES,
    draw_identities,
    draw_identity,
    gait_twin,
    look_alike,
)
from vidreid.synthetic.plan import SIZES, plan_split
from vidreid.synthetic.wardrobe import Wardrobe, make_wardrobe

CLOTHES = (
    "top", "second", "bottom", "shoes", "hair", "skin", "pattern", "sleeve", "hem", "hair_style", "front",
    "back", "bag", "bag_colour",
)  # fmt: skip
GAIT = ("frequency", "stride", "swing", "lean")


@pytest.fixture(scope="module")
def wardrobe() -> Wardrobe:
    return make_wardrobe(np.random.default_rng(0), 2, 16)


@pytest.mark.parametrize("cue", LOCAL_CUES)
def test_a_look_alike_differs_in_one_local_cue_of_its_clothes(wardrobe: Wardrobe, cue: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        model = draw_identity(rng, wardrobe)
        other = look_alike(rng, wardrobe, model, cue)
        changed = {name for name in CLOTHES if getattr(model, name) != getattr(other, name)}
        assert changed == ({"top", "bottom"} if cue == "swap" else {cue})


def test_gait_twins_wear_the_same_on_the_same_body(wardrobe: Wardrobe) -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        model = draw_identity(rng, wardrobe)
        twin = gait_twin(rng, model)
        for name, value in asdict(model).items():
            if name in GAIT:
                assert abs(getattr(twin, name) - value) >= LEVELS[name] // 2
            else:
                assert getattr(twin, name) == value


def test_most_people_have_look_alikes(wardrobe: Wardrobe) -> None:
    people, families = draw_identities(np.random.default_rng(0), wardrobe, 300)
    assert len(people) == len(families) == 300
    sizes = np.bincount(families)
    assert sizes.max() <= 4
    assert 0.5 < np.mean(sizes[families] > 1) < 0.9
    for family in np.nonzero(sizes > 1)[0]:
        members = [who for who, f in zip(people, families, strict=True) if f == family]
        for other in members[1:]:
            differing = [name for name in CLOTHES if getattr(members[0], name) != getattr(other, name)]
            assert len(differing) <= 2


def test_train_and_test_have_other_colours_and_patterns() -> None:
    train, test = (plan_split(0, split, SIZES["small"]).wardrobe for split in ("train", "test"))
    gaps = np.abs(train.colours[:, None] - test.colours[None]).max(-1).min(0)
    # White, black and grey have no hue to differ in.
    assert np.mean(gaps > 2) > 0.7
    assert not {p.seed for p in train.patterns} & {p.seed for p in test.patterns}


def test_no_attribute_identifies_anybody() -> None:
    plan = plan_split(0, "test", SIZES["full"])
    bits = entropies([who.attributes() for who in plan.identities.values()])
    assert max(bits.values()) < np.log2(len(plan.identities)) - 2
    assert sum(bits.values()) > 25


def test_entropy_by_hand() -> None:
    told = entropies([{"a": 0, "b": 1}, {"a": 0, "b": 2}, {"a": 0, "b": 1}, {"a": 0, "b": 2}])
    assert told == {"a": 0.0, "b": 1.0}
    assert entropies([{"a": n} for n in (0, 0, 1, 2)]) == {"a": 1.5}


def test_prints_are_seen_from_one_side_only(wardrobe: Wardrobe) -> None:
    rng = np.random.default_rng(0)
    plain = draw_identity(rng, wardrobe)
    plain = type(plain)(**{**asdict(plain), "pattern": 0, "front": 0, "back": 0, "bag": 0})
    printed = type(plain)(**{**asdict(plain), "front": 1})
    before = dress(plain, wardrobe, np.random.default_rng(5))["chest"]
    after = dress(printed, wardrobe, np.random.default_rng(5))["chest"]
    changed = np.nonzero(np.abs(after - before).max((0, 2)) > 20)[0]
    assert FRONT - 8 <= changed.min() <= changed.max() <= FRONT + 8
    np.testing.assert_array_equal(after[:, BACK - 8 : BACK + 8], before[:, BACK - 8 : BACK + 8])


def test_bags_hang_on_their_own_side(wardrobe: Wardrobe) -> None:
    from vidreid.synthetic.body import POINT, build_of, pose
    from vidreid.synthetic.capsules import parts_of

    points = pose(build_of(draw_identity(np.random.default_rng(0), wardrobe)), np.array([0.0]))[0]
    for bag, axis, sign in (("left", 1, 1), ("right", 1, -1), ("backpack", 0, -1)):
        name = parts_of(False, False, bag)[-1]
        assert name[0] == "bag"
        assert sign * points[POINT[name[1]], axis] > 0.1
