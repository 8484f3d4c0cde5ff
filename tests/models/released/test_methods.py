"""Settings that the weights of a released checkpoint tell."""

import json
import re

import pytest
import torch
from torch import Tensor

from models.golden_files import OWN, released_state
from vidreid.models.released.methods import describe_released, likely_method

State = dict[str, Tensor]
CASES = {"kmpnet_pcb": "c5_kmpnet_k12", "pcb": "c6_pcb_p6", "resnet50": "c6_resnet50", "mgh": "c7_mgh"}


def shapes(case: str) -> State:
    """Empty tensors under the released names; only names and shapes count here."""
    table = json.loads((OWN / f"{case}.json").read_text())["shapes"]
    return {key: torch.empty(shape) for key, shape in table.items()}


def with_head_of_the_face(state: State) -> State:
    """The same with a sixth graph head, as KMPNet has it with 17 joints."""
    sixth = {
        re.sub(r"^(gcn\.\w+)\.4\.", r"\1.5.", key): value
        for key, value in state.items()
        if re.match(r"gcn\.(feat_fcs|feat_bns|classifier)\.4\.", key)
    }
    assert len(sixth) == 8
    return state | sixth


@pytest.mark.parametrize(("method", "case"), CASES.items())
def test_the_names_tell_the_method(method: str, case: str) -> None:
    assert likely_method(shapes(case)) == method


@pytest.mark.parametrize(
    ("method", "state", "options"),
    [
        ("kmpnet_pcb", shapes("c5_kmpnet_k12"), {"num_identities": 10, "stripes": 4, "joints": "body12"}),
        (
            "kmpnet_pcb",
            with_head_of_the_face(shapes("c5_kmpnet_k12")),
            {"num_identities": 10, "stripes": 4, "joints": "coco17"},
        ),
        ("pcb", shapes("c6_pcb_p4"), {"num_identities": 10, "stripes": 4}),
        ("pcb", shapes("c6_pcb_p6"), {"num_identities": 10, "stripes": 6}),
        ("resnet50", shapes("c6_resnet50"), {"num_identities": 10, "last_stride": 2}),
        ("mgh", shapes("c7_mgh"), {"num_identities": 10}),
    ],
)
def test_options(method: str, state: State, options: dict[str, object]) -> None:
    assert describe_released(method, state).options == options


def test_the_weights_come_along() -> None:
    state = released_state(OWN / "c6_resnet50.json", seed=5)
    translated = describe_released("resnet50", state).state
    assert torch.equal(translated["visual.head.weight"], state["classifier.weight"])
    assert torch.equal(translated["visual.backbone.layer4.2.bn3.bias"], state["layer4.2.bn3.bias"])


def test_a_lacking_classifier_is_missing_and_not_another_number_of_stripes() -> None:
    for case, lacking in (("c6_pcb_p4", 3), ("c6_pcb_p6", 5)):
        state = shapes(case)
        del state[f"classifier.{lacking}.weight"], state[f"classifier.{lacking}.bias"]
        with pytest.raises(ValueError, match=rf"missing: visual\.head\.classifiers\.{lacking}\.weight"):
            describe_released("pcb", state)


def test_a_checkpoint_without_any_classifier() -> None:
    """Such as the ImageNet weights of a ResNet."""
    state = {key: value for key, value in shapes("c6_resnet50").items() if "classifier" not in key}
    state["fc.weight"] = torch.empty(1000, 2048)
    with pytest.raises(ValueError, match=r"missing: visual\.head\.weight.*unexpected: fc\.weight"):
        describe_released("resnet50", state)
