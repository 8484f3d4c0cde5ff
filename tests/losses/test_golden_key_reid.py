"""The losses of the released KeyRe-ID (six parts) and VID-Trans-ReID (four), and their gradients."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from support.golden_key_reid import check, inputs, load
from vidreid.losses.attention import FrameAttentionLoss
from vidreid.losses.batch_hard import hard_distances
from vidreid.losses.branch_triplet import BranchTripletLoss
from vidreid.losses.center import CenterLoss
from vidreid.losses.identity import IdentityLoss
from vidreid.losses.recipe import LossRecipe
from vidreid.losses.value import ClipFacts
from vidreid.training.parameter_groups import centers_sgd

CASE = "case07_losses"
PARTS = {"six": 6, "four": 4}
CLIPS, IDENTITIES, GLOBAL, PART = 16, 10, 768, 3072


class Batch(NamedTuple):
    logits: dict[str, Tensor]
    embeddings: dict[str, Tensor]
    pids: Tensor
    facts: ClipFacts


def float32(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def make_batch(golden: dict[str, np.ndarray], parts: int) -> Batch:
    """Logits, embeddings and scores as leaves that keep their gradients."""
    seed, labels = int(golden["seed"]), golden["labels"]
    normal = partial(inputs.normal, seed=seed)
    logits, embeddings = {}, {}
    for k in range(parts + 1):
        name, size = (f"part_{k}", PART) if k else ("global", GLOBAL)
        logits[name] = float32(2 * normal(f"loss.logits{k}", (CLIPS, IDENTITIES))).requires_grad_()
        own = 0.3 * normal(f"loss.feat{k}.id", (IDENTITIES, size))[labels]
        embeddings[name] = float32(own + normal(f"loss.feat{k}.noise", (CLIPS, size))).requires_grad_()
    scores = torch.from_numpy(golden["a_vals"]).requires_grad_()
    facts = ClipFacts(scores, torch.from_numpy(golden["erase_bits"]).bool())
    return Batch(logits, embeddings, torch.from_numpy(labels), facts)


def make_recipe(seed: int, attention: float = 1.0, trained: Any = "both") -> LossRecipe:
    center = CenterLoss(IDENTITIES, GLOBAL, PART, trained=trained)
    assert center.global_centers is not None
    assert center.part_centers is not None
    with torch.no_grad():
        center.global_centers.copy_(float32(inputs.normal("loss.centers.global", (IDENTITIES, GLOBAL), seed)))
        center.part_centers.copy_(float32(inputs.normal("loss.centers.local", (IDENTITIES, PART), seed)))
    return LossRecipe(
        {
            "identity": IdentityLoss(reduction="branches"),
            "triplet": BranchTripletLoss(lone_clips="count"),
            "center": center,
            "attention": FrameAttentionLoss(),
        },
        {"center": 0.0005, "attention": attention},
    )


@pytest.mark.parametrize("variant", PARTS)
def test_terms(variant: str, golden_file: Callable[[str], Path]) -> None:
    golden = load(golden_file(f"{CASE}.npz"))
    batch, recipe = make_batch(golden, PARTS[variant]), make_recipe(int(golden["seed"]))
    total, log = recipe(*batch)
    for term, stored in (("identity", "id"), ("triplet", "triplet"), ("center", "center")):
        heads = torch.stack([log[f"{term}/{name}"] for name in batch.logits])
        check(CASE, f"{variant}_{stored}_terms", heads, golden[f"{variant}_{stored}_terms"])
        check(CASE, f"{variant}_{stored}_mix", log[term], golden[f"{variant}_{stored}_mix"])
    check(CASE, f"{variant}_attention_term", log["attention"], golden[f"{variant}_attention_term"])
    both = log["identity"] + log["triplet"]
    check(CASE, f"{variant}_id_plus_triplet", both, golden[f"{variant}_id_plus_triplet"])
    check(CASE, f"{variant}_total_released", total, golden[f"{variant}_total_released"])
    of_the_paper, _ = make_recipe(int(golden["seed"]), attention=0.75)(*batch)
    check(CASE, f"{variant}_total_paper", of_the_paper, golden[f"{variant}_total_paper"])


@pytest.mark.parametrize("variant", PARTS)
@pytest.mark.parametrize("lone_clips", ["skip", "count"])
def test_distances(variant: str, lone_clips: Any, golden_file: Callable[[str], Path]) -> None:
    """Every clip of the case has a positive and a negative, so that both choices agree."""
    golden = load(golden_file(f"{CASE}.npz"))
    batch = make_batch(golden, PARTS[variant])
    pairs = [hard_distances(rows, batch.pids, False, lone_clips) for rows in batch.embeddings.values()]
    for name, distances in zip(("d_ap", "d_an"), zip(*pairs, strict=True), strict=True):
        check(CASE, f"{variant}_{name}", torch.stack(distances), golden[f"{variant}_{name}"])


@pytest.mark.parametrize("variant", PARTS)
def test_gradients(variant: str, golden_file: Callable[[str], Path]) -> None:
    golden = load(golden_file(f"{CASE}.npz"))
    batch, recipe = make_batch(golden, PARTS[variant]), make_recipe(int(golden["seed"]))
    recipe(*batch)[0].backward()
    center = recipe.terms["center"]
    assert isinstance(center, CenterLoss)
    assert batch.facts.frame_scores is not None
    found = {
        "logits_global": batch.logits["global"].grad,
        "logits_part1": batch.logits["part_1"].grad,
        "a_vals": batch.facts.frame_scores.grad,
        "feat_global": batch.embeddings["global"].grad,
        "feat_norms": torch.stack([rows.grad.norm(dim=1) for rows in batch.embeddings.values()]),
        "centers_global_norms": center.global_centers.grad.norm(dim=1),
        "centers_local_norms": center.part_centers.grad.norm(dim=1),
    }
    assert {f"{variant}_grad_{name}" for name in found} == {
        name for name in golden if name.startswith(f"{variant}_grad")
    }
    for name, gradient in found.items():
        check(CASE, f"{variant}_grad_{name}", gradient, golden[f"{variant}_grad_{name}"])


@pytest.mark.parametrize("variant", PARTS)
@pytest.mark.parametrize("trained", ["both", "global"])
def test_centers_after_a_step(variant: str, trained: str, golden_file: Callable[[str], Path]) -> None:
    golden = load(golden_file(f"{CASE}.npz"))
    batch, recipe = make_batch(golden, PARTS[variant]), make_recipe(int(golden["seed"]), trained=trained)
    optimizer = centers_sgd(
        [(name, parameter) for name, parameter in recipe.named_parameters() if parameter.requires_grad],
        lr=0.5,
        loss_weight=recipe.weights["center"],
    )
    recipe(*batch)[0].backward()
    optimizer.step()
    center = recipe.terms["center"]
    assert isinstance(center, CenterLoss)
    assert center.global_centers is not None
    moved = center.global_centers[:, :16]
    check(CASE, f"{variant}_centers_after_step", moved, golden[f"{variant}_centers_after_step"])


def test_without_any_negative(golden_file: Callable[[str], Path]) -> None:
    golden = load(golden_file(f"{CASE}.npz"))
    rows = list(make_batch(golden, PARTS["four"]).embeddings.values())[-1][:4]
    pids = torch.full((4,), 3)
    _, negative = hard_distances(rows, pids, lone_clips="count")
    check(CASE, "no_negative_d_an", negative, golden["no_negative_d_an"])
    value = BranchTripletLoss(lone_clips="count")({}, {"part_4": rows}, pids).value
    check(CASE, "no_negative_triplet", value, golden["no_negative_triplet"])


def test_the_comparison_can_fail() -> None:
    wanted = np.array([1.0, np.nan], dtype=np.float32)
    check(CASE, "six_id_terms", torch.tensor([1.0, torch.nan]), wanted)
    for wrong in ([1.001, np.nan], [1.0, 2.0], [1.0]):
        with pytest.raises(AssertionError, match="six_id_terms"):
            check(CASE, "six_id_terms", np.array(wrong), wanted)
    with pytest.raises(AssertionError, match="labels"):
        check(CASE, "labels", torch.tensor([1, 3]), np.array([1, 2]))
