"""The translation of the transformers' released names; that the numbers are right is shown by golden
tests."""

import json

import pytest
import torch
from torch import Tensor

from support.golden_key_reid import OWN
from vidreid.keypoints.skeleton import COCO17
from vidreid.models.released.methods import describe_released, likely_method
from vidreid.models.released.transformers import from_released, read_layout

TABLES = {"key_reid": 3, "vid_trans_reid": 4}


def released(method: str) -> dict[str, Tensor]:
    """Shapes of the released weights, without memory."""
    keys = json.loads((OWN / f"case{TABLES[method]:02}_keys.json").read_text())["keys"]
    return {key: torch.empty(shape, device="meta") for key, shape in keys.items()}


def trans_reid(variant: str) -> dict[str, Tensor]:
    keys = json.loads((OWN / "case05_keys.json").read_text())["variants"][variant]["keys"]
    return {key: torch.empty(shape, device="meta") for key, shape in keys.items()}


def test_what_the_weights_tell() -> None:
    key, vid, plain = read_layout(released("key_reid")), read_layout(released("vid_trans_reid")), read_layout(
        trans_reid("s12_plain")
    )  # fmt: skip
    assert (key.identities, key.parts, key.cameras, key.width, key.local_width, key.patches, key.depth) == (
        10, 6, 6, 768, 3072, 128, 12,
    )  # fmt: skip
    assert (vid.identities, vid.parts, vid.cameras) == (7, 4, 2)
    assert (plain.identities, plain.parts, plain.cameras, plain.local_width, plain.patches) == (
        9,
        0,
        6,
        768,
        210,
    )


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("key_reid", {"num_identities": 10, "cameras": 6, "frames": 4, "stride": 16, "joints": "coco17"}),
        ("vid_trans_reid", {"num_identities": 7, "cameras": 2, "frames": 4, "stride": 16, "parts": 4}),
    ],
)
def test_settings_are_read_from_the_weights(method: str, options: dict) -> None:
    state = released(method)
    assert likely_method(state) == method
    assert describe_released(method, state).options == options


@pytest.mark.parametrize(
    ("variant", "stride", "parts"), [("s16", 16, 4), ("s12", 12, 4), ("s12_plain", 12, 0)]
)
def test_settings_of_transreid(variant: str, stride: int, parts: int) -> None:
    state = trans_reid(variant)
    assert likely_method(state) == "trans_reid"
    assert describe_released("trans_reid", state).options == {
        "num_identities": 9, "cameras": 6, "stride": stride, "parts": max(parts, 1),
        "local_branch": parts > 0,
    }  # fmt: skip


def test_aliases_prefixes_and_old_files() -> None:
    """``block1.`` repeats half of ``b2.``; DataParallel puts ``module.`` before names, which the reader takes
    off."""
    state = released("key_reid")
    weights = describe_released("key_reid", state).state
    table = json.loads((OWN / "case03_keys.json").read_text())
    with_aliases = state | {alias: state[key] for alias, key in table["aliases"].items()}
    assert describe_released("key_reid", with_aliases).state.keys() == weights.keys()
    without = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    assert len(describe_released("key_reid", without).state) == len(weights) - 7
    assert not [key for key in weights if "blocks.11" in key]
    assert list(weights)[-1].startswith(("attention.", "head.", "necks.", "local_block."))


def test_problems_are_listed_together() -> None:
    state = released("key_reid")
    state.pop("b1.1.weight")
    state["classifier_3.weight"] = torch.empty(10, 768, device="meta")
    state["bottleneck_7.weight"] = torch.empty(768, device="meta")
    state["memory.weight"] = torch.empty(3, device="meta")
    with pytest.raises(ValueError, match="released checkpoint does not fit the network") as error:
        describe_released("key_reid", state)
    message = str(error.value)
    assert "missing: global_block.1.weight" in message
    assert "unexpected: bottleneck_7.weight, memory.weight" in message
    assert "head.layers.left_arm.weight (10, 768) instead of (10, 3072)" in message


def test_the_wrong_method_is_named() -> None:
    with pytest.raises(
        ValueError, match="names are those of vid_trans_reid: import it with method=vid_trans"
    ):
        describe_released("key_reid", released("vid_trans_reid"))
    with pytest.raises(ValueError, match="names are those of key_reid"):
        describe_released("mgh", released("key_reid"))


def test_unknown_names_are_refused_without_a_network_too() -> None:
    state = released("key_reid") | {"memory.weight": torch.empty(3, device="meta")}
    with pytest.raises(ValueError, match=r"unexpected: memory\.weight"):
        from_released(state, list(COCO17.parts))
